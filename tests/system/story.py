"""One answer of 2,000 pieces and its viewers: one from before the start, some from the middle, one from afterwards."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

from shared.events import TERMINAL
from shared.view import Answer
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import Services, until
from tests.system.invariant import holds
from tests.viewing import Frame, Refused, Viewer

PIECES = tuple(f"wörd {number} 🌊 " for number in range(2000))
SENT = "".join(PIECES)
PACE_S = 0.001
"""Before each piece, so that an answer takes some seconds, and a fault has a middle to fall into."""

SHOWN_S = 20.0
ENDED_S = 60.0

_LEAVES_AFTER_FRAMES = 97
_RESTS_AFTER_FRAMES = 40
_RESTS_S = 0.05


class Story:
    """The session's one generation. `early` is there from before the start; all who watch ride the fault out."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self.viewers: list[Viewer] = []
        self._url = services.consume.url
        self._caller = caller
        self._watching: list[asyncio.Task[None]] = []
        self.early = self._viewer("session")

    async def __aenter__(self) -> Self:
        self._watch(_through(self.early))
        await self._caller.start(prompt=self._caller.session, provider="openai")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: Any, traceback: TracebackType | None) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    def join(self) -> None:
        """Three viewers more: a plain one, a slow one, and one that leaves and comes back again and again."""
        self._watch(_through(self._viewer()))
        self._watch(_through(self._viewer(), _RESTS_S))
        self._watch(_with_breaks(self._viewer()))

    async def shows(self, text: str) -> None:
        """Wait until the early viewer shows so many words. All that it shows must begin with them."""
        await self.sees(lambda answer: len(answer.text) >= len(text))
        assert self.early.text.startswith(text)

    async def sees(self, fact: Callable[[Answer], bool], seconds: float = SHOWN_S) -> None:
        """Wait until what the early viewer holds is as wished."""

        async def seen() -> bool:
            for task in self._watching:
                if task.done():
                    task.result()
            return 1 in self.early.view.answers and fact(self.early.view.answers[1])

        await until(seen, seconds)

    async def ended(self) -> None:
        """Wait until every viewer has seen the end; then one more comes."""
        async with asyncio.timeout(ENDED_S):
            await asyncio.gather(*self._watching)
        await self._viewer().connect()

    async def holds(self, sent: str = SENT, status: str = "completed") -> None:
        """See it to the end, and then the invariant."""
        await self.ended()
        await holds(self._caller.redis, self._caller.session, self.viewers, sent, status=status)

    def _viewer(self, follow: str = "answer") -> Viewer:
        viewer = Viewer(self._url, self._caller.session, follow)
        self.viewers.append(viewer)
        return viewer

    def _watch(self, watching: Coroutine[Any, Any, None]) -> None:
        self._watching.append(asyncio.create_task(watching))


def of_attempt(number: int) -> Callable[[Answer], bool]:
    """Whether an answer is of this attempt."""
    return lambda answer: answer.attempt == number


def asked(upstream: Upstream, session: str) -> int:
    """How often the vendor was asked for this session's answer: nobody pays twice for one."""
    return sum(request.prompt == session for request in upstream.requests)


def _is_end(frame: Frame) -> bool:
    return frame.event.get("status") in TERMINAL


async def _through(viewer: Viewer, rests_s: float = 0.0) -> None:
    async with asyncio.timeout(ENDED_S), aclosing(viewer.stream()) as frames:
        async for frame in frames:
            if _is_end(frame):
                return
            if rests_s and len(viewer.frames) % _RESTS_AFTER_FRAMES == 0:
                await asyncio.sleep(rests_s)


async def _with_breaks(viewer: Viewer) -> None:
    while not viewer.frames or not _is_end(viewer.frames[-1]):
        try:
            await viewer.connect(until=lambda _: len(viewer.frames) % _LEAVES_AFTER_FRAMES == 0)
        except Refused as refused:
            if refused.response.status_code != 204:
                raise
            return
