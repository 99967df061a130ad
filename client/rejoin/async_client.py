"""The client for asyncio: `Client`, with its waits given to the event loop."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, Unpack, cast

import httpx2

from rejoin import calls
from rejoin.answer_text import AnswerText
from rejoin.calls import Call, Options, Page
from rejoin.connecting import Connecting, answered, refusal
from rejoin.errors import Refused
from rejoin.events import AnyEvent
from rejoin.patience import Limits, Retry
from rejoin.resumption import FRAME_MAX_BYTES, Broken, Follow, Resumption, Token


class AsyncClient:
    """A client of one server, for the tasks of one event loop."""

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        token: Token = None,
        *,
        limits: Limits | None = None,
        on_retry: Callable[[Retry], None] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._to = Connecting(base_url, token, limits or Limits(), on_retry)
        # Each stream is a connection: no pool shall bound how many there are.
        bounds = httpx2.Limits(max_connections=None)
        self._http = httpx2.AsyncClient(limits=bounds, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections. No answer ends by that."""
        await self._http.aclose()

    async def start(self, prompt: str | None = None, **options: Unpack[Options]) -> "AsyncAnswer":
        """Begin an answer, in a new session unless one is given. Raises Refused, OutOfReach."""
        said = await self._call(calls.start(prompt, options))
        return AsyncAnswer(self, str(said["sessionId"]), int(said["generation"]))

    def follow(
        self,
        session: str,
        after: str | None = None,
        *,
        follow: Follow = "answer",
        generation: int | None = None,
        share: str | None = None,
    ) -> "AsyncFollowing":
        """The events of a session after a position, or all, until its answer has its end; of one generation if given.

        With `follow="session"` it stays for the next questions, also those asked elsewhere, and never ends by itself.
        """
        state = Resumption(session, after, follow, generation, self._to.patience(self._to.limits.give_up_s))
        return AsyncFollowing(self._http, self._to, state, share)

    async def stop(self, session: str, generation: int | None = None) -> bool:
        """Stop what runs; tells whether anything did. Raises NotFound."""
        return bool((await self._call(calls.stop(session, generation)))["stopped"])

    async def delete(self, session: str) -> None:
        """Remove a session, and stop what runs in it."""
        await self._call(calls.delete(session))

    async def session(
        self, session: str, *, limit: int = 20, before: str | None = None, share: str | None = None
    ) -> Page:
        """A session as it is now, newest answer first. Raises NotFound."""
        return cast(Page, await self._call(calls.page(session, limit, before, share)))

    async def _call(self, call: Call) -> dict[str, Any]:
        request, patience = self._to.request(call), self._to.patience(self._to.limits.call_s)
        while True:
            error: Exception
            try:
                said = answered(await self._http.request(**request))
            except httpx2.TransportError as broken:
                error = broken
            else:
                if not isinstance(said, Refused):
                    return said
                error = said
            await asyncio.sleep(patience.wait_s(error))


class AsyncFollowing:
    """An iterator of events that comes back after every break. Close it, or use `async with`, to hang up early."""

    def __init__(self, http: httpx2.AsyncClient, to: Connecting, state: Resumption, share: str | None) -> None:
        self._http = http
        self._to = to
        self._state = state
        self._share = share
        self._events = self._read()

    @property
    def position(self) -> str | None:
        """That of the last event given: a later `follow(session, after=position)` gives the next, in any process."""
        return self._state.position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Hang up. The answer goes on."""
        await self._events.aclose()

    async def text(self) -> str:
        """Read to the end; the words of the newest attempt of the newest answer. Raises AnswerFailed."""
        text = AnswerText()
        async for event in self:
            text.take(event)
        return text.whole()

    async def _read(self) -> AsyncGenerator[AnyEvent, None]:
        while True:
            try:
                async with contextlib.aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
            except (httpx2.TransportError, Broken) as error:
                self._state.lost(error)
            if self._state.over:
                return
            await asyncio.sleep(self._state.wait_s())

    async def _connection(self) -> AsyncGenerator[AnyEvent, None]:
        to, state, token = self._to, self._state, self._to.token()
        async with self._http.stream(**to.stream(state.query(self._share), token)) as response:
            if not state.is_stream(response.status_code, response.headers.get("content-type", "")):
                if not state.over:
                    await response.aread()
                    state.refused(refusal(response), renewed=to.token() != token)
                return
            async for frame in httpx2.EventSource(response, FRAME_MAX_BYTES):
                event = state.take(frame.event, frame.id, frame.data, frame.retry, renewable=to.renewable)
                if event is not None:
                    yield event
                if state.over:
                    return
            state.body_ended()


@dataclass(frozen=True)
class AsyncAnswer:
    """One answer, from its start on: it is written whether anybody follows it or not."""

    client: AsyncClient
    session: str
    generation: int

    def follow(self, after: str | None = None) -> AsyncFollowing:
        """Its events."""
        return self.client.follow(self.session, after, generation=self.generation)

    async def text(self) -> str:
        """Its words, when it has its end. Raises AnswerFailed."""
        return await self.follow().text()

    async def stop(self) -> bool:
        """Stop it, and no later one; tells whether it was running."""
        return await self.client.stop(self.session, self.generation)
