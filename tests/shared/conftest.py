"""What stands between a test and its Redis: the proxy that breaks the way."""

from collections.abc import AsyncIterator

import pytest

from tests.proxy import Proxy


@pytest.fixture
async def proxy(anyio_backend: str, redis_url: str) -> AsyncIterator[Proxy]:
    """A way to Redis that can be broken."""
    async with Proxy(redis_url) as standing:
        yield standing
