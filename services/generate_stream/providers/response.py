"""A vendor's streamed response: opened in one frame, closed in the same frame, whatever ends it."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import httpx2

from services.generate_stream.providers import ProviderError
from services.generate_stream.providers.errors import Sdk, provider_error

_CONNECT_S = 10.0

RETRIES = 2
"""Before the first token only: the SDKs never repeat a request whose answer has begun."""

LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=60.0)
"""The SDKs' own, but that an idle connection is kept for a minute and not for 5 s: the next prompt is spared the
handshakes, two or three round trips to the vendor. One that the vendor has closed meanwhile is noticed, or retried."""

_Stream = TypeVar("_Stream", bound=AbstractAsyncContextManager[Any])


def timeout(stall_s: float) -> httpx2.Timeout:
    """No end to the whole answer; `stall_s` seconds without a byte are the end. A vendor's ping counts as a byte."""
    return httpx2.Timeout(stall_s, connect=min(_CONNECT_S, stall_s))


@asynccontextmanager
async def opened(request: Awaitable[_Stream], sdk: Sdk) -> AsyncGenerator[_Stream, None]:
    """Send `request` and give its stream of events; the connection is closed at once on every way out.

    The SDKs' transport shields its own close, so that this holds in a cancelled task as well.
    Raises ProviderError for every failure, of the request and of whatever reads the stream within.
    """
    try:
        stream = await request
        async with stream:
            yield stream
    except ProviderError:
        raise
    except Exception as exc:
        # Everything, because the SDKs don't validate what a server sends: any wrong shape, any error. Each answer
        # must end by an entry, and this is the edge where the vendor's world ends.
        raise provider_error(exc, sdk) from exc
