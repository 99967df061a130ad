"""A vendor's streamed response: opened in one frame, closed in the same frame, whatever ends it."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import anyio
import httpx2

from services.generate_stream.providers import ProviderError
from services.generate_stream.providers.errors import provider_error

_CONNECT_S = 10.0
_CLOSE_S = 1.0

# Before the first token only: the SDKs never repeat a request whose answer has begun.
RETRIES = 2


class _Closable(Protocol):
    async def close(self) -> None: ...


_Stream = TypeVar("_Stream", bound=_Closable)


def timeout(stall_s: float) -> httpx2.Timeout:
    """No end to the whole answer; `stall_s` seconds without a byte are the end. A vendor's ping counts as a byte."""
    return httpx2.Timeout(stall_s, connect=min(_CONNECT_S, stall_s))


@asynccontextmanager
async def opened(request: Awaitable[_Stream]) -> AsyncGenerator[_Stream, None]:
    """Send `request` and give its stream of events; close the connection at once on every way out.

    Raises ProviderError for every failure, of the request and of whatever reads the stream within.
    """
    try:
        stream = await request
        try:
            yield stream
        finally:
            # Shielded, because an unshielded close of a cancelled task leaves the vendor generating, for money.
            with anyio.move_on_after(_CLOSE_S, shield=True):
                await stream.close()
    except ProviderError:
        raise
    except Exception as exc:
        # Everything, because the SDKs don't validate what a server sends: any wrong shape, any error. Each answer
        # must end by an entry, and this is the edge where the vendor's world ends.
        raise provider_error(exc) from exc
