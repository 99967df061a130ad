"""Wires to a cluster: what a node refuses because another one has the slot goes there; its caller sees only a reply."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import nanoid
import pytest

from shared import keys
from shared.redis_url import redis_at
from shared.wire import RedisAway
from shared.wires import Wires
from tests.processes import until
from tests.redis_cluster import Move, RedisCluster

pytestmark = pytest.mark.anyio

TIMEOUT_S = 5.0
FAILOVER_S = 30.0


@pytest.fixture
async def wires(cluster: RedisCluster) -> AsyncIterator[Wires]:
    """The wires of a process that has looked."""
    store = redis_at(cluster.url, "rejoin-test")
    await store.open()
    made = Wires(store, TIMEOUT_S)
    yield made
    await made.close()
    await store.close()


@pytest.fixture
async def late(cluster: RedisCluster) -> AsyncIterator[Wires]:
    """The wires of a process that has not looked, and asks the first node for everything."""
    store = redis_at(cluster.url, "rejoin-test")
    made = Wires(store, TIMEOUT_S)
    yield made
    await made.close()


def log() -> str:
    return keys.log(str(nanoid.generate()))


async def test_every_key_is_asked_for_at_its_master_at_once(cluster: RedisCluster, wires: Wires) -> None:
    for key in [log() for _ in range(30)]:
        assert wires.redis.node(key) == (await cluster.master(key)).address
    assert set(wires.redis.nodes()) == {node.address for node in cluster.nodes[:3]}


async def test_a_log_and_its_meta_lie_on_one_node(wires: Wires) -> None:
    for session in [str(nanoid.generate()) for _ in range(30)]:
        assert wires.redis.node(keys.log(session)) == wires.redis.node(keys.meta(session))


async def test_one_who_does_not_know_the_map_reaches_every_key_and_keeps_the_order(late: Wires) -> None:
    logs = [log() for _ in range(20)]
    asked = [late.of(key).call("XADD", key, f"1-{seq}", "n", seq) for key in logs for seq in range(1, 20)]
    replies = await asyncio.gather(*asked)
    assert replies == [f"1-{seq}".encode() for _ in logs for seq in range(1, 20)]


async def test_nudges_are_sharded_where_redis_can(cluster: RedisCluster, wires: Wires) -> None:
    version = str(await cluster.nodes[0].call("INFO", "server"))
    assert wires.redis.publish == ("SPUBLISH" if "redis_version:7" in version or "'7." in version else "PUBLISH")


async def test_what_is_asked_while_a_slot_moves_is_answered_by_whoever_has_it(
    cluster: RedisCluster, wires: Wires
) -> None:
    key, before = log(), ""

    async def add(seq: int) -> Any:
        return await wires.of(key).call("XADD", key, f"1-{seq}", "n", seq)

    await add(1)
    before = wires.redis.node(key)
    move = Move(cluster, key)
    await move.begin()
    assert await add(2) == b"1-2"
    await move.keys()
    assert await add(3) == b"1-3"
    await move.end()
    assert await add(4) == b"1-4"
    assert wires.redis.node(key) == (await cluster.master(key)).address != before
    assert [entry for entry, _ in await wires.of(key).call("XRANGE", key, "-", "+")] == [b"1-1", b"1-2", b"1-3", b"1-4"]


async def test_keys_of_one_slot_on_two_nodes_are_away_until_they_are_together(
    cluster: RedisCluster, wires: Wires
) -> None:
    session = str(nanoid.generate())
    both = (keys.log(session), keys.meta(session))
    await wires.of(both[0]).call("XADD", both[0], "1-1", "n", 1)
    await wires.of(both[1]).call("HSET", both[1], "status", "running")
    move = Move(cluster, both[0])
    await move.begin()
    await move.keys(1)
    with pytest.raises(RedisAway):
        await wires.of(both[0]).call("EXISTS", *both)
    await move.keys()
    assert await wires.of(both[0]).call("EXISTS", *both) == 2
    await move.end()


async def test_a_dead_masters_keys_are_away_until_its_replica_has_them(cluster: RedisCluster, wires: Wires) -> None:
    key = log()
    await wires.of(key).call("XADD", key, "1-1", "n", 1)
    epoch, master = wires.epoch(key), await cluster.master(key)
    [replica] = await cluster.replicas(master)
    await until(lambda: _has(replica, key), FAILOVER_S)
    await master.kill()
    with pytest.raises(RedisAway):
        await wires.of(key).call("XLEN", key)
    assert master.address not in await wires.clocks()

    async def is_back() -> bool:
        try:
            return bool(await wires.of(key).call("XLEN", key) == 1)
        except RedisAway:
            return False

    await until(is_back, FAILOVER_S)
    assert wires.redis.node(key) == replica.address
    assert wires.epoch(key) != epoch
    assert replica.address in await wires.clocks()
    await master.start()
    await until(cluster.is_whole, FAILOVER_S)


async def _has(replica: Any, key: str) -> bool:
    offsets = (await replica.call("ROLE"))[4]
    return bool(offsets) and key in await replica.call("KEYS", key)
