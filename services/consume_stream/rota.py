"""A rota: calls everyone on it once in a while, spread evenly, without a timer for each."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

_SLOTS = 20

T = TypeVar("T")


class Rota(Generic[T]):
    """Calls `call` with each member once in `every_s`: thousands of idle viewers are many small moments, not one large.

    `call` must be quick and must not raise.
    """

    def __init__(self, every_s: float, call: Callable[[T], None]) -> None:
        self._call = call
        self._slots: list[dict[T, None]] = [{} for _ in range(_SLOTS)]
        self._places: dict[T, int] = {}
        self._slot = 0
        self._tick_s = every_s / _SLOTS
        self._task = asyncio.create_task(self._turn(), name="rota")

    def add(self, member: T) -> None:
        """Call it from now on, first after `every_s`."""
        # The slot that has just been served comes round last: after one whole round, never later.
        self._places[member] = self._slot
        self._slots[self._slot][member] = None

    def remove(self, member: T) -> None:
        """Call it no more, if it is on the rota."""
        place = self._places.pop(member, None)
        if place is not None:
            del self._slots[place][member]

    async def close(self) -> None:
        """Stop the clock."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _turn(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            self._slot = (self._slot + 1) % _SLOTS
            for member in list(self._slots[self._slot]):
                self._call(member)
