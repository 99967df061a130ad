"""Redis is gone for longer than any lease: words are held back within a bound, then go on, from the same writer."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import psutil
import pytest
import redis.asyncio

from deploy.leash import Leash
from deploy.redis_binary import binaries
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.processes import Services, until
from tests.proxy import Proxy
from tests.system.attempts import never_claimed
from tests.system.invariant import holds
from tests.system.pair import Pair
from tests.system.redis_crash import RedisCrash
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

GONE_S = 20.0
USUAL = {"REJOIN_LEASE_S": "6", "REJOIN_SWEEP_S": "2", "REJOIN_RECHECK_S": "5", "REJOIN_PING_S": "15"}
"""What these are by default."""

PIECES = tuple(f"wörd {number} ".ljust(8192, "x") for number in range(400))
SAID = 350
SENT = "".join(PIECES)
MIB = 2**20
DEADLINE_S = 15.0
STAYS_S = 60.0


class Staying(Viewer):
    """A viewer who waits for as long as this test takes, on one connection."""

    async def stays(self) -> None:
        """Follow to the clean end. Raises Cut."""
        async with asyncio.timeout(STAYS_S), aclosing(self.stream()) as frames:
            async for _ in frames:
                pass


@pytest.fixture
async def crash(
    tmp_path_factory: pytest.TempPathFactory, leash: Leash, anyio_backend: str
) -> AsyncIterator[RedisCrash]:
    """The newest Redis at hand, to be broken."""
    newest = max(binaries(), key=lambda binary: [int(part) for part in binary.version.split(".")])
    async with RedisCrash(newest, tmp_path_factory.mktemp("long"), leash) as running:
        yield running


@pytest.fixture
async def client(crash: RedisCrash) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(crash.url, protocol=2, decode_responses=True) as own:
        yield own


@pytest.fixture
async def pair(crash: RedisCrash, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """A writer that comes back to Redis when the test says so, and a producer that would take over what is lost."""
    large = {"REJOIN_ANSWER_MAX_BYTES": str(4 * MIB)}
    async with Proxy(crash.url) as way, Pair(crash.url, leash, upstream.url, way, **USUAL | large) as running:
        yield running


async def test_a_redis_that_was_gone_for_twenty_seconds_finds_the_writer_where_it_was(
    crash: RedisCrash, client: Any, pair: Pair, upstream: Upstream, session: str
) -> None:
    assert pair.wire
    upstream.prompts[session] = Script(text=PIECES, gate=(gate := Gate()))
    await pair.start(sessionId=session, prompt=session, provider="openai")
    viewers = [Staying(pair.consume.url, session) for _ in range(3)]
    async with asyncio.TaskGroup() as watching:
        for viewer in viewers:
            watching.create_task(viewer.stays())
        gate.let_out(10)
        await shown(viewers, 10)
        occupied = memory(pair)
        await asyncio.gather(crash.kill(), pair.wire.refuse())
        back = asyncio.create_task(asyncio.sleep(GONE_S))
        unread = await held_back(upstream, gate, SAID - 10)
        await back
        # It read no further all that time.
        assert vendor(upstream).get_write_buffer_size() == unread
        assert memory(pair) - occupied < 8 * MIB
        await crash.start()
        # The producer that does not write is back first, and sees a lease that was over long ago.
        await swept(client, session)
        await pair.wire.heal()
        await shown(viewers, SAID)
        gate.let_out(len(PIECES) - SAID)
    await holds(client, session, viewers, SENT)
    await never_claimed(client, session)


async def held_back(upstream: Upstream, gate: Gate, pieces: int) -> int:
    """Have the vendor say some more; returns how much of it nobody takes from it in the end."""
    vendor(upstream).get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    gate.let_out(pieces)
    left = [0]

    async def no_longer_taken() -> bool:
        left.append(vendor(upstream).get_write_buffer_size())
        return left[-1] == left[-2] > MIB

    await until(no_longer_taken, DEADLINE_S, every_s=0.5)
    return left[-1]


async def shown(viewers: list[Staying], pieces: int) -> None:
    """Wait until every viewer shows the first words, exactly these."""
    said = "".join(PIECES[:pieces])

    async def all_show_it() -> bool:
        return all(viewer.text == said for viewer in viewers)

    await until(all_show_it, DEADLINE_S)


async def swept(client: Any, session: str) -> None:
    """Wait until a producer has twice looked at an attempt whose lease is over."""

    async def twice() -> bool:
        stats = (await client.info("commandstats")).get("cmdstat_zrangebyscore", {})
        # A sweep is two of these, and this Redis has just started.
        return int(stats.get("calls", 0)) >= 4

    assert await client.zscore(keys.RUNNING, session) is not None
    await until(twice, DEADLINE_S)


def vendor(upstream: Upstream) -> asyncio.Transport:
    """The connection on which the vendor answers."""
    return upstream.connections[-1]._transport


def memory(services: Services) -> int:
    """What the writing process occupies."""
    assert services.generate.process
    return int(psutil.Process(services.generate.process.pid).memory_info().rss)
