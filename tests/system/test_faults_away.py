"""Redis is away or silent for a while: words are held back, then go on; no living writer is claimed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from deploy.leash import Leash
from deploy.redis_binary import binaries
from tests.fakes.upstream import Upstream
from tests.processes import Services, until, vendor_settings
from tests.system.attempts import never_claimed
from tests.system.own_process import GENERATE, process
from tests.system.pair import LEASE_S, SHORT
from tests.system.redis_crash import RedisCrash
from tests.system.watched import Watched

pytestmark = pytest.mark.anyio

SETTINGS = SHORT | {"REJOIN_ANSWER_MAX_BYTES": str(16 * 2**20)}


@pytest.fixture(scope="module")
async def crash(
    tmp_path_factory: pytest.TempPathFactory, leash: Leash, anyio_backend: str
) -> AsyncIterator[RedisCrash]:
    """A Redis to be broken. All versions are away alike."""
    async with RedisCrash(binaries()[0], tmp_path_factory.mktemp("away"), leash) as running:
        yield running


@pytest.fixture(scope="module")
async def house(crash: RedisCrash, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on it, and a second producer that would take over what is lost."""
    environ = vendor_settings(upstream.url) | SETTINGS | {"REDIS_URL": crash.url}
    async with (
        Services(crash.url, leash, vendors=upstream.url, **SETTINGS) as running,
        process(GENERATE, leash, **environ),
    ):
        yield running


@pytest.fixture(scope="module")
async def client(crash: RedisCrash) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(crash.url, protocol=2, decode_responses=True) as own:
        yield own


async def test_a_redis_that_was_gone_for_six_leases_finds_every_living_writer_where_it_was(
    crash: RedisCrash, client: Any, watched: Watched
) -> None:
    await crash.kill()
    watched.say(700)
    await asyncio.sleep(6 * LEASE_S)
    await crash.start()
    await watched.shown()
    await watched.holds(client)
    await never_claimed(client, watched.session)


@pytest.mark.parametrize("paused_s", [1.5 * LEASE_S, 6.0])
async def test_a_redis_that_was_paused_finds_every_living_writer_where_it_was(
    crash: RedisCrash, client: Any, watched: Watched, paused_s: float
) -> None:
    crash.pause()
    watched.say(700)
    await asyncio.sleep(paused_s)
    crash.go_on()
    await watched.shown()
    await watched.holds(client)
    await never_claimed(client, watched.session)


async def test_while_redis_is_away_the_model_is_read_only_as_far_as_a_bound(
    crash: RedisCrash, house: Services, upstream: Upstream, client: Any, session: str
) -> None:
    pieces = tuple(f"{number} ".ljust(8192, "x") for number in range(1000))
    async with Watched(house, upstream, session, pieces) as watched:
        watched.watch()
        watched.say(10)
        await watched.shown()
        await crash.kill()
        transport = upstream.connections[-1]._transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        watched.say(980)

        left = [0]

        async def is_held_back() -> bool:
            left.append(transport.get_write_buffer_size())
            return left[-1] == left[-2] > 2**20

        # The vendor can't get rid of its words: nobody reads them.
        await until(is_held_back, 15, every_s=0.3)
        await crash.start()
        await watched.shown()
        await watched.holds(client)
