"""A subscription as Server-Sent Events: batches become frames, and a connection that must not end is cut."""

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import NamedTuple, Protocol

from sse_starlette.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from services.consume_stream import frames
from services.consume_stream.access import RightOver
from services.consume_stream.rota import Rota
from services.consume_stream.subscription import Broken, Reset, Revoked
from shared import server

_log = logging.getLogger(__name__)

_RETRY_MS = (500, 2500)
"""How long a client waits before it comes back: each another time, so that a restart is no storm."""

LAST_WORD_S = 1.0


class Framed(Protocol):
    """What leaves in one piece."""

    @property
    def frames(self) -> bytes: ...


class Source(Protocol):
    """Where a stream's frames come from: a subscription."""

    def batches(self) -> AsyncGenerator["Framed | Reset", None]: ...


class Form(NamedTuple):
    """What a stream is besides its frames."""

    media_type: str = "text/event-stream"
    headers: Mapping[str, str] = {}
    ping: bytes = frames.PING
    """A sign of life, sent at once and then now and again; empty for none."""
    retries: bool = True
    """Whether its client is told when to come back."""
    last_word: Callable[[str], bytes] = frames.unauthorized
    """What is said, by its code, to who may not read any more. The cut follows."""


NATIVE = Form()


class ViewerResponse(EventSourceResponse):
    """The stream of one viewer. It ends cleanly only when its subscription has ended; else it is cut.

    The library gives the headers. Of its four tasks for each response, two wait for a clock and for a signal that all
    viewers share, and its task group costs as much again: with one task, a viewer takes 18 KB less.
    """

    def __init__(
        self,
        source: Source,
        place: contextlib.ExitStack,
        pings: "Pings",
        form: Form = NATIVE,
        right: RightOver | None = None,
    ) -> None:
        self._frames = _frames(source, form)
        self._right = right or RightOver(math.inf, "")
        headers = {"Cache-Control": "no-cache, no-transform", **form.headers}
        super().__init__(self._frames, headers=headers, media_type=form.media_type)
        self._place = place
        self._pings = pings
        self._form = form
        self._send: Send | None = None
        self._pinging: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the end, the disconnect or the cut; then give the viewer's place back."""
        with self._place:
            if scope["method"] == "HEAD":
                return await super().__call__(scope, receive, send)
            self._send = send
            sending = asyncio.create_task(self._send_frames(scope, send))
            if self._form.ping:
                self._pings.add(self)
            try:
                # Which also comes when the response is complete, and when it was cut.
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                self._end_pings()
                sending.cancel()
                await asyncio.gather(sending, *filter(None, [self._pinging]), return_exceptions=True)

    def ping(self) -> None:
        """Send a sign of life beside the frames, unless the viewer has not taken the last one yet."""
        if self._send and (self._pinging is None or self._pinging.done()):
            self._pinging = asyncio.create_task(_send_body(self._send, self._form.ping))

    def _end_pings(self) -> None:
        self._pings.remove(self)
        if self._pinging:
            self._pinging.cancel()

    async def _send_frames(self, scope: Scope, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with asyncio.timeout_at(self._right.deadline), contextlib.aclosing(self._frames):
                async for frame in self._frames:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
            # One that a slow client has not taken yet would be sent behind the end, which is an error.
            self._end_pings()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Broken:
            server.cut(scope)
        except (TimeoutError, Revoked) as over:
            code = "share_revoked" if isinstance(over, Revoked) else self._right.code
            # Not waited for: a client that takes nothing is cut all the same.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD_S):
                    await _send_body(send, self._form.last_word(code))
            server.cut(scope)
        except Exception:  # noqa: BLE001 - a client must hear of it: it comes back and goes on
            _log.exception("a viewer's stream broke")
            server.cut(scope)


class Pinged(Protocol):
    """A viewer, however it is told."""

    def ping(self) -> None: ...


Pings = Rota[Pinged]
"""Who gets a sign of life now and then, so that no proxy takes a quiet stream for a dead one."""


async def _send_body(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _frames(source: Source, form: Form) -> AsyncGenerator[bytes, None]:
    # At once, so that headers and a sign of life pass every proxy before the first word is there.
    if form.ping:
        yield form.ping
    first = frames.retry(random.randint(*_RETRY_MS)) if form.retries else b""
    async with contextlib.aclosing(source.batches()) as batches:
        async for batch in batches:
            sent = frames.reset(batch.reason) if isinstance(batch, Reset) else batch.frames
            yield first + sent if first else sent
            first = b""
