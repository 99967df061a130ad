"""A watched answer: the scripted vendor gives its words piece by piece as the test says, and viewers follow it."""

import asyncio
from types import TracebackType
from typing import Any, Self

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.processes import Services, until
from tests.system.invariant import holds
from tests.viewing import Viewer

PIECES = 2000
SHOWN_S = 30.0


class Watched:
    """One generation and its viewers. A viewer that is cut makes the test fail: all ride the fault out in place."""

    def __init__(self, services: Services, upstream: Upstream, session: str, pieces: tuple[str, ...] = ()) -> None:
        self.pieces = pieces or tuple(f"wörd {number} 🌊 " for number in range(PIECES))
        self.session = session
        self.viewers: list[Viewer] = []
        self.gate = Gate()
        self._out = 0
        self._services = services
        self._upstream = upstream
        self._watching: list[asyncio.Task[None]] = []
        upstream.prompts[session] = Script(text=self.pieces, gate=self.gate)

    async def __aenter__(self) -> Self:
        await self._services.start(sessionId=self.session, prompt=self.session, provider="openai")
        await self.gate.reached_within(SHOWN_S)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: Any, traceback: TracebackType | None) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    @property
    def sent(self) -> str:
        """What the vendor has said so far."""
        return "".join(self.pieces[: self._out])

    def watch(self) -> Viewer:
        """One viewer more, who stays to the end of the answer."""
        viewer = Viewer(self._services.consume.url, self.session)
        self.viewers.append(viewer)
        self._watching.append(asyncio.create_task(viewer.connect()))
        return viewer

    def say(self, pieces: int) -> None:
        """Have the vendor say some more; past the last piece it says that it has ended."""
        self._out = min(self._out + pieces, len(self.pieces))
        self.gate.let_out(pieces)

    async def shown(self, seconds: float = SHOWN_S) -> None:
        """Wait until every viewer shows what the vendor has said, exactly."""

        async def all_show_it() -> bool:
            for task in self._watching:
                if task.done():
                    task.result()
            return all(viewer.text == self.sent for viewer in self.viewers)

        await until(all_show_it, seconds)

    async def ended(self) -> None:
        """Have the vendor say the rest; wait until every viewer has seen the end."""
        self.say(len(self.pieces) - self._out)
        await asyncio.gather(*self._watching)

    async def holds(self, redis_client: Any) -> None:
        """The invariant, for a late viewer too."""
        self.watch()
        await self.ended()
        await holds(redis_client, self.session, self.viewers, self.sent)
