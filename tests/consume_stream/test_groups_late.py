"""Commands that Redis hears late, after their connection was given up: no word is missing, and no group stays."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection

from services.consume_stream.access import Access
from services.consume_stream.group_reads import GroupReads, Ways
from services.consume_stream.groups import Groups
from shared import keys
from shared.access.identity import Right
from shared.events import Entry
from shared.instance import new_instance
from shared.one_redis import OneRedis
from shared.position import NONE
from shared.wire import Connect, RedisAway
from shared.wires import Wires
from tests.connections import connector
from tests.consume_stream.facts import groups, no_groups, number_of_groups
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import until
from tests.proxy import Proxy

pytestmark = pytest.mark.anyio

TIMEOUT_S = 1.0
BATCH_MAX = 500
DEADLINE_S = 10.0
ANYBODYS = Access("", Right(), math.inf)


@pytest.fixture
async def late(redis_url: str, anyio_backend: str) -> AsyncIterator[Proxy]:
    """What it holds back comes late."""
    async with Proxy(redis_url) as standing:
        yield standing


@pytest.fixture
def straight(redis_url: str) -> Connect:
    """A way to Redis."""
    return connector(redis_url, "rejoin-test", user="consume")


@pytest.fixture
def bent(late: Proxy, straight: Connect) -> Connect:
    """A way to Redis whose first connection goes through the proxy, and the later ones do not."""
    ways = iter([connector(late.url, name_of(late), user="consume")])
    return lambda: next(ways, straight)()


def name_of(late: Proxy) -> str:
    """How the connection through a proxy shows in CLIENT LIST."""
    return f"rejoin-late-{late.port}"


class Way(OneRedis):
    """A Redis to which one connects in a way of one's own."""

    def __init__(self, way: Connect) -> None:
        self._way = way

    def connect(self, _: str) -> AbstractConnection:
        return self._way()


@asynccontextmanager
async def shared(live: Connect, bulk: Connect) -> AsyncIterator[Ways]:
    """What the group reads of a process share, connected."""
    wires = Wires(Way(live), TIMEOUT_S), Wires(Way(bulk), TIMEOUT_S)
    own = Groups(wires[1], new_instance())
    await asyncio.gather(*(each.clocks() for each in wires))
    try:
        yield Ways(*wires, own)
    finally:
        for each in (own, *wires):
            await each.close()


@pytest.mark.parametrize("replayed", [True, False], ids=["replay", "tail"])
async def test_a_read_that_comes_late_takes_nothing_from_its_viewer(
    late: Proxy, straight: Connect, bent: Connect, redis_client: Any, writer: OutsideWriter, replayed: bool
) -> None:
    await writer.begin()
    async with shared(*((straight, bent) if replayed else (bent, straight))) as ways:
        clients = await redis_client.client_list()
        [given_up] = [each["id"] for each in clients if each["name"] == name_of(late)]
        reads = GroupReads(ways, writer.session, BATCH_MAX, ANYBODYS)
        await reads.resume(NONE)
        taken = [] if replayed else await new(reads)
        late.hold("requests")
        await writer.say("One.")
        with pytest.raises(RedisAway):
            await new(reads)
        assert not reads.stands
        await reads.resume(taken[-1].id if taken else NONE)
        await late.heal()

        async def is_heard() -> bool:
            # Redis learns of the end of a connection after it has run all that came before.
            return not await redis_client.client_list(client_id=[given_up])

        await until(is_heard, DEADLINE_S)
        assert [str(entry.id) for entry in taken + await new(reads)] == writer.ids
        reads.close()
        await no_groups(redis_client, writer.session)


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "reply lost"])
async def test_what_a_doubtful_read_took_is_read_again(
    late: Proxy, straight: Connect, bent: Connect, redis_client: Any, writer: OutsideWriter, cancelled: bool
) -> None:
    await writer.begin()
    async with shared(bent, straight) as ways:
        reads = GroupReads(ways, writer.session, BATCH_MAX, ANYBODYS)
        await reads.resume(NONE)
        [started] = await new(reads)
        [doubtful] = await groups(redis_client, writer.session)
        late.hold("replies")
        await writer.say("One.")
        reading = asyncio.create_task(new(reads))
        await is_moved(redis_client, writer, doubtful)
        if cancelled:
            reading.cancel()
        else:
            late.cut()
        with pytest.raises(asyncio.CancelledError if cancelled else RedisAway):
            await reading
        await late.heal()
        assert not reads.stands
        await reads.resume(started.id)
        assert [str(entry.id) for entry in await new(reads)] == writer.ids[1:]
        await number_of_groups(redis_client, writer.session, 1)
        reads.close()
        await no_groups(redis_client, writer.session)


async def test_a_group_that_is_made_late_counts_for_nobody_and_is_swept(
    late: Proxy, straight: Connect, bent: Connect, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    async with shared(straight, bent) as ways:
        own = ways.groups
        left, stays = own.new(), own.new()
        await own.make(session, stays, NONE, Right())
        own.sweep(session)
        late.hold("requests")
        with pytest.raises(RedisAway):
            await own.make(session, left, NONE, Right())
        # So that it shows when the command to destroy it has run.
        await redis_client.xgroup_create(keys.log(session), left, "0")
        own.destroy(session, left)
        await number_of_groups(redis_client, session, 1)
        await late.heal()
        await number_of_groups(redis_client, session, 2)
        assert await own.living(session) == 1
        # This log was swept a moment ago, but on the connection that is no more.
        own.sweep(session)
        await number_of_groups(redis_client, session, 1)
        assert await groups(redis_client, session) == [stays]


async def new(reads: GroupReads) -> list[Entry]:
    """What a viewer reads that was nudged just now: the end of its replay, or the tail."""
    reads.nudge()
    batch = await (reads.tail() if reads.drained else reads.read())
    assert batch
    return list(batch.entries)


async def is_moved(redis_client: Any, writer: OutsideWriter, group: str) -> None:
    """Wait until a read has moved a group to the end of the log."""

    async def stands_there() -> bool:
        rows = await redis_client.xinfo_groups(keys.log(writer.session))
        return any((row["name"], row["last-delivered-id"]) == (group, writer.ids[-1]) for row in rows)

    await until(stands_there, DEADLINE_S)
