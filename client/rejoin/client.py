"""The client: start, follow, stop. It waits for its sockets; `AsyncClient` is the same for asyncio."""

import time
from collections.abc import Callable, Generator
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


class Client:
    """A client of one server. It may be used by many threads, each with streams of its own."""

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        token: Token = None,
        *,
        limits: Limits | None = None,
        on_retry: Callable[[Retry], None] | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._to = Connecting(base_url, token, limits or Limits(), on_retry)
        # Each stream is a connection: no pool shall bound how many there are.
        bounds = httpx2.Limits(max_connections=None)
        self._http = httpx2.Client(limits=bounds, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections. No answer ends by that."""
        self._http.close()

    def start(self, prompt: str | None = None, **options: Unpack[Options]) -> "Answer":
        """Begin an answer, in a new session unless one is given. Raises Refused, OutOfReach."""
        said = self._call(calls.start(prompt, options))
        return Answer(self, str(said["sessionId"]), int(said["generation"]))

    def follow(
        self,
        session: str,
        after: str | None = None,
        *,
        follow: Follow = "answer",
        generation: int | None = None,
        share: str | None = None,
    ) -> "Following":
        """The events of a session after a position, or all, until its answer has its end; of one generation if given.

        With `follow="session"` it stays for the next questions, also those asked elsewhere, and never ends by itself.
        """
        state = Resumption(session, after, follow, generation, self._to.patience(self._to.limits.give_up_s))
        return Following(self._http, self._to, state, share)

    def stop(self, session: str, generation: int | None = None) -> bool:
        """Stop what runs; tells whether anything did. Raises NotFound."""
        return bool(self._call(calls.stop(session, generation))["stopped"])

    def delete(self, session: str) -> None:
        """Remove a session, and stop what runs in it."""
        self._call(calls.delete(session))

    def session(self, session: str, *, limit: int = 20, before: str | None = None, share: str | None = None) -> Page:
        """A session as it is now, newest answer first. Raises NotFound."""
        return cast(Page, self._call(calls.page(session, limit, before, share)))

    def _call(self, call: Call) -> dict[str, Any]:
        request, patience = self._to.request(call), self._to.patience(self._to.limits.call_s)
        while True:
            error: Exception
            try:
                said = answered(self._http.request(**request))
            except httpx2.TransportError as broken:
                error = broken
            else:
                if not isinstance(said, Refused):
                    return said
                error = said
            time.sleep(patience.wait_s(error))


class Following:
    """An iterator of events that comes back after every break. Close it, or use `with`, to hang up before the end."""

    def __init__(self, http: httpx2.Client, to: Connecting, state: Resumption, share: str | None) -> None:
        self._http = http
        self._to = to
        self._state = state
        self._share = share
        self._events = self._read()

    @property
    def position(self) -> str | None:
        """That of the last event given: a later `follow(session, after=position)` gives the next, in any process."""
        return self._state.position

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AnyEvent:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. The answer goes on."""
        self._events.close()

    def text(self) -> str:
        """Read to the end; the words of the newest attempt of the newest answer. Raises AnswerFailed."""
        text = AnswerText()
        for event in self:
            text.take(event)
        return text.whole()

    def _read(self) -> Generator[AnyEvent, None, None]:
        while True:
            try:
                yield from self._connection()
            except (httpx2.TransportError, Broken) as error:
                self._state.lost(error)
            if self._state.over:
                return
            time.sleep(self._state.wait_s())

    def _connection(self) -> Generator[AnyEvent, None, None]:
        to, state, token = self._to, self._state, self._to.token()
        with self._http.stream(**to.stream(state.query(self._share), token)) as response:
            if not state.is_stream(response.status_code, response.headers.get("content-type", "")):
                if not state.over:
                    response.read()
                    state.refused(refusal(response), renewed=to.token() != token)
                return
            for frame in httpx2.EventSource(response, FRAME_MAX_BYTES):
                event = state.take(frame.event, frame.id, frame.data, frame.retry, renewable=to.renewable)
                if event is not None:
                    yield event
                if state.over:
                    return
            state.body_ended()


@dataclass(frozen=True)
class Answer:
    """One answer, from its start on: it is written whether anybody follows it or not."""

    client: Client
    session: str
    generation: int

    def follow(self, after: str | None = None) -> Following:
        """Its events."""
        return self.client.follow(self.session, after, generation=self.generation)

    def text(self) -> str:
        """Its words, when it has its end. Raises AnswerFailed."""
        return self.follow().text()

    def stop(self) -> bool:
        """Stop it, and no later one; tells whether it was running."""
        return self.client.stop(self.session, self.generation)
