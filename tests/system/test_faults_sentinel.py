"""Redis under Sentinels: the master fails, or is changed on purpose, and every viewer reads on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries
from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.redis_sentinel import SERVICE, RedisSentinel
from tests.system.attempts import never_claimed
from tests.system.watched import Watched

pytestmark = pytest.mark.anyio

SETTINGS = {"REJOIN_LEASE_S": "2", "REJOIN_SWEEP_S": "0.2", "REJOIN_RECHECK_S": "0.5", "REJOIN_PING_S": "0.5"}
FAILOVER_S = 40.0


@pytest.fixture(scope="module", params=binaries(), ids=lambda binary: f"{binary.kind}-{binary.version}".lower())
async def guarded(request: pytest.FixtureRequest, leash: Leash, anyio_backend: str) -> AsyncIterator[RedisSentinel]:
    """A master with a replica, of each version."""
    binary: Binary = request.param
    async with RedisSentinel(binary, leash) as running:
        yield running


@pytest.fixture(scope="module")
async def client(guarded: RedisSentinel) -> AsyncIterator[Any]:
    """What is in it."""
    async with guarded.client() as own:
        yield own


@pytest.fixture(scope="module")
async def house(guarded: RedisSentinel, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on it."""
    async with Services(guarded.url, leash, vendors=upstream.url, **SETTINGS) as running:
        yield running


@pytest.mark.parametrize("how", ["on purpose", "by a crash"])
async def test_a_new_master_is_found_under_its_viewers(
    guarded: RedisSentinel, client: Any, house: Services, upstream: Upstream, session: str, how: str
) -> None:
    async with Watched(house, upstream, session) as watched:
        watched.watch()
        watched.say(300)
        watched.watch()
        await watched.shown()
        former = await guarded.master()
        if how == "by a crash":
            await former.kill()
        else:
            await guarded.sentinels[0].call("SENTINEL", "FAILOVER", SERVICE)
        watched.say(300)

        async def is_another() -> bool:
            return await guarded.master() is not former

        await until(is_another, FAILOVER_S)
        watched.say(300)
        await watched.shown(FAILOVER_S)
        if how == "by a crash":
            await former.start()
        await until(guarded.is_whole, FAILOVER_S)
        watched.say(300)
        await watched.shown()
        await watched.holds(client)
        await never_claimed(client, session)
