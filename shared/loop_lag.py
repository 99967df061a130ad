"""Loop lag: how late this process comes to what is due, because it has too much to do or no processor."""

import asyncio

from shared import metrics

_EVERY_S = 0.25


class LoopLag:
    """Measures for as long as it is not closed."""

    def __init__(self) -> None:
        self._task = asyncio.create_task(self._measure(), name="loop lag")

    async def close(self) -> None:
        """Measure no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            # A timer may come a fraction of a millisecond early.
            metrics.LOOP_LAG.observe(max(0.0, loop.time() - due))
