"""A subscription as Server-Sent Events: batches become frames, and a connection that must not end is cut."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator

from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Message, Receive, Scope, Send

from services.consume_stream import frames, metrics
from services.consume_stream.subscription import LogGone, Reset, Subscription
from shared import server

_RETRY_MS = (500, 2500)
"""How long a client waits before it comes back: each another time, so that a restart is no storm."""

_CUT_WITHIN_S = 3.0


class ViewerResponse(EventSourceResponse):
    """The stream of one viewer. It ends cleanly only when its subscription has ended; else it is cut."""

    def __init__(
        self, subscription: Subscription, place: contextlib.ExitStack, ping_s: float, send_timeout_s: float
    ) -> None:
        super().__init__(
            _frames(subscription),
            headers={"Cache-Control": "no-cache, no-transform"},
            ping=ping_s,
            # Its return value is sent as it is when it is bytes.
            ping_message_factory=lambda: frames.PING,  # type: ignore[arg-type, return-value]
        )
        self._place = place
        # Not the library's own: it has none for the end, and takes a slow viewer for one that takes nothing.
        self._send_timeout_s = send_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the end, the disconnect or the cut; then give the viewer's place back."""
        with self._place:
            try:
                await super().__call__(scope, receive, lambda message: self._send(scope, send, message))
            except LogGone:
                await _cut(scope, receive)
            except SendTimeoutError:
                metrics.DROPPED.inc()
                await _cut(scope, receive)

    async def _send(self, scope: Scope, send: Send, message: Message) -> None:
        """Send while the viewer takes something, however slowly. Raises SendTimeoutError."""
        while True:
            untaken = server.untaken_bytes(scope)
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    # The server waits for room before it writes, so what is given up here may be sent again.
                    return await send(message)
            except TimeoutError:
                if server.untaken_bytes(scope) >= untaken:
                    raise SendTimeoutError from None


async def _cut(scope: Scope, receive: Receive) -> None:
    server.cut(scope)
    # The server takes a response that returns unfinished for a fault, unless its client is known to be gone.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CUT_WITHIN_S):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _frames(subscription: Subscription) -> AsyncGenerator[bytes, None]:
    retry_ms: int | None = random.randint(*_RETRY_MS)
    # At once, so that headers and a sign of life pass every proxy before the first word is there.
    yield frames.PING
    async with contextlib.aclosing(subscription.batches()) as batches:
        async for batch in batches:
            if isinstance(batch, Reset):
                yield frames.reset(batch.reason, retry_ms)
            else:
                yield frames.encode(batch, retry_ms)
            retry_ms = None
