"""A subscription as Server-Sent Events: batches become frames, and a connection that must not end is cut."""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from sse_starlette.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from services.consume_stream import frames
from services.consume_stream.rota import Rota
from services.consume_stream.subscription import LogGone, Reset, Revoked
from shared import server

_log = logging.getLogger(__name__)

_RETRY_MS = (500, 2500)
"""How long a client waits before it comes back: each another time, so that a restart is no storm."""


_FOR_EVER_S = 1e9
_LAST_WORD_S = 1.0


class Framed(Protocol):
    """What leaves in one piece."""

    @property
    def frames(self) -> bytes: ...


class Source(Protocol):
    """Where a stream's frames come from: a subscription."""

    def batches(self) -> AsyncGenerator["Framed | Reset", None]: ...


class RightOver(NamedTuple):
    """When a viewer's right to read is over (Unix time, s), and what it is told then."""

    at_s: float
    code: str

    @property
    def deadline(self) -> float | None:
        """The same by the clock of the event loop; None for never."""
        left_s = self.at_s - time.time()
        return None if left_s > _FOR_EVER_S else asyncio.get_running_loop().time() + left_s


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
        ping: bytes = frames.PING,
        right: RightOver | None = None,
    ) -> None:
        self._frames = _frames(source, ping)
        self._right = right or RightOver(math.inf, "")
        super().__init__(self._frames, headers={"Cache-Control": "no-cache, no-transform"})
        self._place = place
        self._pings = pings
        self._sign_of_life = ping
        self._send: Send | None = None
        self._pinging: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the end, the disconnect or the cut; then give the viewer's place back."""
        with self._place:
            if scope["method"] == "HEAD":
                return await super().__call__(scope, receive, send)
            self._send = send
            sending = asyncio.create_task(self._send_frames(scope, send))
            self._pings.add(self)
            try:
                # Which also comes when the response is complete, and when it was cut.
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                self._pings.remove(self)
                over = [task for task in (sending, self._pinging) if task]
                for task in over:
                    task.cancel()
                await asyncio.gather(*over, return_exceptions=True)

    def ping(self) -> None:
        """Send a sign of life beside the frames, unless the viewer has not taken the last one yet."""
        if self._send and (self._pinging is None or self._pinging.done()):
            self._pinging = asyncio.create_task(_send_body(self._send, self._sign_of_life))

    async def _send_frames(self, scope: Scope, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with asyncio.timeout_at(self._right.deadline), contextlib.aclosing(self._frames):
                async for frame in self._frames:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except LogGone:
            server.cut(scope)
        except (TimeoutError, Revoked) as over:
            code = "share_revoked" if isinstance(over, Revoked) else self._right.code
            # Not waited for: a client that takes nothing is cut all the same.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await _send_body(send, frames.unauthorized(code))
            server.cut(scope)
        except Exception:  # noqa: BLE001 - a client must hear of it: it comes back and goes on
            _log.exception("a viewer's stream broke")
            server.cut(scope)


Pings = Rota[ViewerResponse]
"""Who gets a sign of life now and then, so that no proxy takes a quiet stream for a dead one."""


async def _send_body(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _frames(source: Source, ping: bytes) -> AsyncGenerator[bytes, None]:
    # At once, so that headers and a sign of life pass every proxy before the first word is there.
    yield ping
    first = frames.retry(random.randint(*_RETRY_MS))
    async with contextlib.aclosing(source.batches()) as batches:
        async for batch in batches:
            sent = frames.reset(batch.reason) if isinstance(batch, Reset) else batch.frames
            yield first + sent if first else sent
            first = b""
