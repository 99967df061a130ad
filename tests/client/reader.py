"""Who reads by one of the two clients, while a test breaks things."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Literal

from rejoin import AnyEvent, AsyncClient, Client, End, Limits, Reset, Started, Words
from tests.client.front import Front, Where
from tests.processes import until

Kind = Literal["sync", "async"]

BRISK = Limits(retry_max_s=0.05, give_up_s=30, call_s=30)
_SEEN_S = 20.0


class Reader:
    """Starts an answer and follows it. `events` grows as they come."""

    def __init__(self, kind: Kind, generate: Where, consume: Where, **client: Any) -> None:
        self.events: list[AnyEvent] = []
        self._kind = kind
        self._where = generate, consume
        self._client = {"limits": BRISK, **client}

    async def start(self, prompt: str, **options: Any) -> tuple[str, int]:
        """Begin an answer; its session and generation."""
        if self._kind == "sync":
            with Client(**self._own()) as client:
                begun = await asyncio.to_thread(client.start, prompt, **options)
                return begun.session, begun.generation
        async with AsyncClient(**self._own()) as asynchronous:
            answer = await asynchronous.start(prompt, **options)
            return answer.session, answer.generation

    @contextlib.asynccontextmanager
    async def reading(self, session: str) -> AsyncIterator["Reader"]:
        """Read inside the block, and to the end."""
        async with asyncio.timeout(60):
            task = asyncio.create_task(self.read(session))
            try:
                yield self
                await task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def read(self, session: str, after: str | None = None) -> None:
        """Read to the end."""
        if self._kind == "sync":
            await asyncio.to_thread(self._read, session, after)
            return
        async with AsyncClient(**self._own()) as client, client.follow(session, after) as following:
            async for event in following:
                self.events.append(event)

    async def has(self, words: str) -> None:
        """Wait until it has read so much."""

        async def is_there() -> bool:
            return words in self.text

        await until(is_there, _SEEN_S)

    @property
    def text(self) -> str:
        """The words of the newest attempt."""
        words: list[str] = []
        for event in self.events:
            if isinstance(event, Started):
                words.clear()
            elif isinstance(event, Words):
                words.append(event.text)
        return "".join(words)

    def holds(self, sent: str) -> None:
        """It has read what was sent, nothing twice, and the end last."""
        ids = [event.id for event in self.events if not isinstance(event, Reset)]
        assert self.text == sent
        assert len(ids) == len(set(ids))
        assert [isinstance(event, End) for event in self.events] == [False] * (len(self.events) - 1) + [True]

    def _own(self) -> dict[str, Any]:
        return {"transport": Front(*self._where), **self._client}

    def _read(self, session: str, after: str | None) -> None:
        with Client(**self._own()) as client, client.follow(session, after) as following:
            for event in following:
                self.events.append(event)
