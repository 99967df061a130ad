"""Redis' clock jumps, as a failover to a machine with another clock leaves it: ids grow, and nobody living is claimed.

No command sets the clock of Redis, so the tests move what was written by it: leases, scores, ids.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.processes import Services, until, vendor_settings
from tests.system.clock_proxy import ClockProxy
from tests.system.own_process import GENERATE, process
from tests.system.pair import LEASE_S, SHORT
from tests.system.watched import Watched

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def wire(own_redis: str, anyio_backend: str) -> AsyncIterator[ClockProxy]:
    """The way to Redis. A failover breaks every connection."""
    async with ClockProxy(own_redis) as running:
        yield running


@pytest.fixture(scope="module")
async def house(wire: ClockProxy, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on a Redis."""
    async with Services(wire.url, leash, vendors=upstream.url, **SHORT) as running:
        yield running


@pytest.mark.parametrize("jumped_s", [-10, 10])
async def test_after_a_failover_to_another_clock_a_living_writer_goes_on(
    house: Services,
    wire: ClockProxy,
    own_client: Any,
    upstream: Upstream,
    leash: Leash,
    watched: Watched,
    jumped_s: int,
) -> None:
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": wire.url}
    async with process(GENERATE, leash, **environ) as other:
        sweepers = [Caller(each, own_client, "nobody-has-this-one") for each in (house.generate, other)]

        async def have_reconnected() -> bool:
            return all([told(await sweeper.stop()) == (404, "session_not_found") for sweeper in sweepers])

        # Often enough for one of them to come when the patience after their start is over.
        for _ in range(8):
            wire.cut()
            await until(have_reconnected, 10)
            await move_lease(own_client, watched.session, -jumped_s * 1000)
            await until(lambda: lives(own_client, watched.session), 10)
            watched.say(50)
            await watched.shown()
        await watched.holds(own_client)
    assert await own_client.hget(keys.meta(watched.session), "attempt") == "1"


async def test_a_clock_that_is_set_claims_no_living_writer(
    house: Services, wire: ClockProxy, own_client: Any, upstream: Upstream, leash: Leash, watched: Watched
) -> None:
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": wire.url}
    async with process(GENERATE, leash, **environ):
        for ahead_s in (10, -10, 0):
            # Long enough after the last time for every patience to be over.
            await asyncio.sleep(2 * LEASE_S)
            jump_ms = (ahead_s - wire.ahead_s) * 1000
            wire.ahead_s = ahead_s
            await move_lease(own_client, watched.session, -jump_ms)
            await until(lambda: lives(own_client, watched.session), 10)
            watched.say(50)
            await watched.shown()
        await watched.holds(own_client)
    assert await own_client.hget(keys.meta(watched.session), "attempt") == "1"


async def test_a_dead_producers_lease_far_ahead_is_over(
    house: Services, own_redis: str, own_client: Any, upstream: Upstream, leash: Leash, watched: Watched
) -> None:
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": own_redis}
    async with process(GENERATE, leash, **environ):
        await house.generate.kill()
        await move_lease(own_client, watched.session, 3_600_000)
        watched.say(10 * len(watched.pieces))
        await watched.holds(own_client)
    assert await own_client.hget(keys.meta(watched.session), "attempt") == "2"
    await house.generate.start()


async def test_a_log_that_is_ahead_of_the_clock_goes_on_from_its_last_id(
    house: Services, own_client: Any, upstream: Upstream, session: str
) -> None:
    ahead_ms = int(time.time() * 1000) + 3_600_000
    begun = {"type": "metadata", "status": "started", "generation": "1", "attempt": "1", "prompt": "Hello?"}
    await own_client.xadd(keys.log(session), begun, id=f"{ahead_ms}-0")
    ended = {"type": "metadata", "status": "completed", "generation": "1", "chunks": "0", "ms": "1"}
    await own_client.xadd(keys.log(session), ended, id=f"{ahead_ms}-1")
    caller = Caller(house.generate, own_client, session)
    upstream.prompts[session] = Script()
    for generation in (2, 3):
        assert await caller.start(prompt=session, provider="openai") == generation
        assert (await caller.ended(generation))["status"] == "completed"
        assert await caller.text(generation) == "".join(Script().text)
    entries = await own_client.xrange(keys.log(session))
    begins = [int(at.partition("-")[0]) for at, fields in entries if "attempt" in fields]
    assert begins == [ahead_ms, ahead_ms + 1, ahead_ms + 2]


async def move_lease(client: Any, session: str, by_ms: int) -> None:
    """Make a lease, and the index with it, what another clock takes it for."""
    async with client.pipeline(transaction=True) as pipe:
        pipe.hincrby(keys.meta(session), "leaseUntilMs", by_ms)
        pipe.zincrby(keys.RUNNING, by_ms, session)
        await pipe.execute()


async def lives(client: Any, session: str) -> bool:
    """Whether a writer has renewed its lease by the clock of now."""
    seconds, _ = await client.time()
    left_ms = int(await client.hget(keys.meta(session), "leaseUntilMs")) - seconds * 1000
    return bool(0 < left_ms <= (LEASE_S + 1) * 1000)
