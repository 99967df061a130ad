"""Groups whose destruction is answered just before a break: Redis may have lost it, so they are destroyed again."""

import asyncio
from typing import Any, cast

import pytest

from services.consume_stream.groups import Groups
from shared.wire import RedisAway
from shared.wires import Wires
from tests.processes import until

pytestmark = pytest.mark.anyio

SESSION = "a-session-of-8"
SOON_S = 5.0


class _Wire:
    """It answers at once, but for what is held back until it breaks."""

    def __init__(self) -> None:
        self.destroyed: list[str] = []
        self.held = ""
        self._break = asyncio.Event()

    def of(self, _: str) -> "_Wire":
        return self

    async def call(self, *command: Any) -> int:
        if command[:2] == ("XGROUP", "DESTROY"):
            self.destroyed.append(command[3])
            if command[3] == self.held:
                await self._break.wait()
                raise RedisAway("the connection to Redis broke before the reply")
        return 1

    async def broken(self) -> None:
        await self._break.wait()

    def cut(self) -> None:
        self.held = ""
        self._break.set()
        self._break = asyncio.Event()


async def test_one_that_is_answered_while_another_waits_for_the_break_is_destroyed_again() -> None:
    wire = _Wire()
    own = Groups(cast(Wires, wire), "abcdefghijkl")
    answered, wire.held = own.new(), own.new()
    both = [answered, wire.held]

    async def times(count: int) -> bool:
        return sorted(wire.destroyed) == sorted(count * both)

    for group in both:
        own.destroy(SESSION, group)
    await until(lambda: times(1), SOON_S)
    wire.cut()
    await until(lambda: times(2), SOON_S)
    await own.close()
