"""A subscription as Server-Sent Events: batches become frames, and a connection that must not end is cut."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator

from sse_starlette.sse import EventSourceResponse, SendTimeoutError
from starlette.types import Receive, Scope, Send

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
            send_timeout=send_timeout_s,
        )
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the end, the disconnect or the cut; then give the viewer's place back."""
        with self._place:
            try:
                await super().__call__(scope, receive, send)
            except LogGone:
                await _cut(scope, receive)
            except SendTimeoutError:
                metrics.DROPPED.inc()
                await _cut(scope, receive)


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
