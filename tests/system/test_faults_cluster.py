"""A Redis Cluster: a master fails, a slot moves, and every viewer reads on; nudges come from where the log lies."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.redis_cluster import Move, RedisCluster
from tests.system.attempts import never_claimed
from tests.system.watched import Watched

pytestmark = pytest.mark.anyio

SETTINGS = {"REJOIN_LEASE_S": "2", "REJOIN_SWEEP_S": "0.2", "REJOIN_RECHECK_S": "0.5", "REJOIN_PING_S": "0.5"}
FAILOVER_S = 30.0


@pytest.fixture(scope="module")
async def client(cluster: RedisCluster) -> AsyncIterator[Any]:
    """What is in it."""
    async with cluster.client() as own:
        yield own


@pytest.fixture(scope="module")
async def house(cluster: RedisCluster, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on it."""
    async with Services(cluster.url, leash, vendors=upstream.url, **SETTINGS) as running:
        yield running


@pytest.fixture
async def watched(watched: Watched) -> Watched:
    """A second viewer has come since."""
    watched.watch()
    await watched.shown()
    return watched


async def test_a_master_that_fails_is_replaced_under_its_viewers(
    cluster: RedisCluster, client: Any, watched: Watched
) -> None:
    failed = await cluster.master(keys.log(watched.session))
    await failed.kill()
    watched.say(500)
    await watched.shown(FAILOVER_S)
    assert await cluster.master(keys.log(watched.session)) is not failed
    await failed.start()
    await until(cluster.is_whole, FAILOVER_S)
    watched.say(300)
    await watched.shown()
    await watched.holds(client)
    await never_claimed(client, watched.session)


async def test_a_slot_moves_under_its_viewers(cluster: RedisCluster, client: Any, watched: Watched) -> None:
    move = Move(cluster, keys.log(watched.session))
    await move.begin()
    watched.say(200)
    await watched.shown()
    await move.keys()
    watched.say(200)
    watched.watch()
    await watched.shown()
    await move.end()
    watched.say(200)
    watched.watch()
    await watched.shown()
    await watched.holds(client)
    await never_claimed(client, watched.session)


async def test_a_lost_second_of_a_master_is_written_again_on_its_replica(
    cluster: RedisCluster, client: Any, house: Services, watched: Watched
) -> None:
    failed = await cluster.master(keys.log(watched.session))
    [replica] = await cluster.replicas(failed)
    replica.pause()
    await failed.call("CLIENT", "KILL", "TYPE", "replica")
    watched.say(200)
    await watched.shown()
    await failed.kill()
    replica.go_on()
    watched.say(200)
    await watched.shown(FAILOVER_S)
    assert await cluster.master(keys.log(watched.session)) is replica
    filled = [line for line in house.generate.log.splitlines() if "filling a gap" in line and watched.session in line]
    assert filled, "nothing was lost"
    await failed.start()
    await until(cluster.is_whole, FAILOVER_S)
    await watched.holds(client)
    await never_claimed(client, watched.session)
