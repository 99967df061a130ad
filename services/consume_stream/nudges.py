"""Nudges: who reads which log, woken by Pub/Sub at once and, should a nudge be lost, by the clock."""

import asyncio
from collections.abc import Callable

from shared import keys
from shared.channels import Channels, Heard

_SLOTS = 20


class Nudges:
    """Wakes viewers. A wake says "read again" and nothing more.

    Beside the nudges every viewer is woken once in `recheck_s`: in slots, so that thousands of idle viewers are many
    small moments and not one large one, and without a timer each.
    """

    def __init__(self, channels: Channels, recheck_s: float) -> None:
        self._channels = channels
        self._slots: list[set[Heard]] = [set() for _ in range(_SLOTS)]
        self._slot = 0
        self._tick_s = recheck_s / _SLOTS
        self._task = asyncio.create_task(self._recheck(), name="recheck")

    async def listen(self, session: str, wake: Callable[[bytes], None]) -> None:
        """Wake by each nudge of this session from now on. Raises RedisAway; then nothing is left behind."""
        await self._channels.listen(keys.log(session), wake)
        # The slot that has just been served comes round last: after one whole recheck, never later.
        self._slots[self._slot].add(wake)

    def unlisten(self, session: str, wake: Callable[[bytes], None]) -> None:
        """Wake no more."""
        self._channels.unlisten(keys.log(session), wake)
        for slot in self._slots:
            slot.discard(wake)

    async def close(self) -> None:
        """Stop the clock."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            self._slot = (self._slot + 1) % _SLOTS
            for wake in list(self._slots[self._slot]):
                wake(b"")
