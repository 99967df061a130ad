"""A Redis of each version that nobody else uses: all callers of a machine are one address."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis.asyncio

from deploy import redis_server
from deploy.leash import Leash
from shared import keys
from shared.wires import Wires
from tests import redis_users
from tests.connections import wires
from tests.quotas.stock import Stock


@pytest.fixture(scope="module", params=redis_server.binaries(), ids=lambda one: f"{one.kind}-{one.version}".lower())
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, leash: Leash) -> Iterator[str]:
    """Where it is."""
    users = redis_users.arguments(request.param)
    with redis_server.start(request.param, tmp_path_factory.mktemp("quotas"), *users, leash=leash) as server:
        yield server.url


@pytest.fixture
async def client(url: str, anyio_backend: str) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(url, protocol=2, decode_responses=True) as own:
        yield own


@pytest.fixture
async def replicas(url: str, anyio_backend: str) -> AsyncIterator[tuple[Wires, Wires]]:
    """The connections of two processes."""
    both = wires(url, user="generate"), wires(url, user="generate")
    yield both
    for each in both:
        await each.close()


@pytest.fixture
async def here(client: Any) -> AsyncIterator[Stock]:
    """What the address of this machine has, which is nothing at first."""
    stock = Stock(client, keys.subject("address", "127.0.0.1"))
    await stock.clear()
    yield stock
    await stock.clear()


@pytest.fixture
def somebody(client: Any, session: str) -> Stock:
    """What an owner has whom nobody has seen before."""
    return Stock(client, keys.subject("owner", session))
