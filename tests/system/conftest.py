"""A house with a Redis of its own, so that a test can see all that is in it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis.asyncio

from deploy import redis_server
from deploy.leash import Leash
from tests import redis_users
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.system.pair import Pair
from tests.system.watched import Watched


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that nobody else uses: the first that this machine has."""
    binary, *_ = redis_server.binaries()
    users = redis_users.arguments(binary)
    with redis_server.start(binary, tmp_path_factory.mktemp("own-redis"), *users) as server:
        yield server.url


@pytest.fixture(scope="module")
async def house(own_redis: str, leash: Leash, anyio_backend: str) -> AsyncIterator[Services]:
    """Both services on it. Only the demo answers, which needs no network."""
    async with Services(own_redis, leash) as running:
        yield running


@pytest.fixture(scope="module")
async def pair(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """Two producers."""
    async with Pair(own_redis, leash, upstream.url) as running:
        yield running


@pytest.fixture(scope="module")
async def own_client(own_redis: str, anyio_backend: str) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(own_redis, protocol=2, decode_responses=True) as client:
        yield client


@pytest.fixture
async def watched(house: Services, upstream: Upstream, session: str) -> AsyncIterator[Watched]:
    """An answer with a viewer who has seen its first words."""
    async with Watched(house, upstream, session) as running:
        running.watch()
        running.say(300)
        await running.shown()
        yield running
