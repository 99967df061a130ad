"""generate-stream is told to end in the middle of answers: what it can't finish goes on elsewhere at once, unharmed."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import until, vendor_settings
from tests.proxy import Proxy
from tests.system.own_process import GENERATE, process
from tests.system.pair import SHORT, Pair
from tests.system.story import PACE_S, PIECES, Story, asked, of_attempt

pytestmark = pytest.mark.anyio

DRAIN_S = 0.3
HANDED_OVER_S = 1.0
LITTLE_S = 5.0
"""What a busy machine may add to any deadline."""
FAR_S = 0.15
LONG = 3 * 200 + 1

UNSWEPT = {"REJOIN_DRAIN_S": str(DRAIN_S), "REJOIN_LEASE_S": "6", "REJOIN_SWEEP_S": "60"}
"""Nobody finds what is left behind; only what is handed over goes on."""


@pytest.fixture(scope="module")
async def pair(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """They are alone: a third would look for the same handed-over answers, and leave its traces in the index."""
    async with Proxy(own_redis) as wire, Pair(own_redis, leash, upstream.url, wire, **UNSWEPT) as running:
        yield running


@pytest.fixture
async def caller(pair: Pair, own_client: Any, session: str) -> AsyncIterator[Caller]:
    """A client of the producer that will be told to end."""
    yield Caller(pair.generate, own_client, session)
    await pair.mend()


async def test_an_answer_that_finishes_within_the_drain_stays_where_it_is(
    pair: Pair, caller: Caller, upstream: Upstream, own_redis: str, leash: Leash
) -> None:
    upstream.prompts[caller.session] = Script(text=PIECES, gate=(gate := Gate()))
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": own_redis, "REJOIN_DRAIN_S": "20"}
    async with process(GENERATE, leash, **environ) as patient:
        async with Story(pair, Caller(patient, caller.redis, caller.session)) as story:
            gate.let_out(700)
            await story.shows("".join(PIECES[:700]))
            story.join()
            ending = asyncio.create_task(patient.stop(30))
            await until(lambda: is_draining(caller, patient.url), 5)
            gate.let_out(len(PIECES) - 700)
            await story.holds()
        assert await ending == 0
    assert len(await caller.started()) == asked(upstream, caller.session) == 1


async def test_an_answer_that_does_not_finish_in_time_goes_on_elsewhere_at_once(
    pair: Pair, caller: Caller, upstream: Upstream
) -> None:
    upstream.prompts[caller.session] = Script(text=PIECES, gate=(first := Gate()))
    async with Story(pair, caller) as story:
        first.let_out(700)
        await story.shows("".join(PIECES[:700]))
        story.join()
        upstream.prompts[caller.session] = Script(text=PIECES, delay_s=PACE_S)
        ending = asyncio.create_task(pair.generate.stop())
        await story.sees(of_attempt(2), DRAIN_S + HANDED_OVER_S + LITTLE_S)
        await first.left_within(LITTLE_S)
        await story.holds()
        assert await ending == 0
    assert await caller.redis.hget(keys.meta(caller.session), "losses") is None


async def test_a_long_answer_goes_on_elsewhere_though_redis_is_far_from_there(
    pair: Pair, caller: Caller, upstream: Upstream
) -> None:
    upstream.prompts[caller.session] = Script(text=PIECES, gate=(gate := Gate()))
    assert pair.wire
    pair.wire.delay_s = FAR_S
    async with Story(pair, Caller(pair.other, caller.redis, caller.session)) as story:
        await gate.reached_within(5)
        # Several pages of the log, each of which is a round trip. One by one: pieces that come together are one entry.
        for entries in range(await length(caller), LONG):
            gate.let_out()
            await until(functools.partial(is_longer, caller, entries), 5, every_s=PACE_S)
        upstream.prompts[caller.session] = Script(text=PIECES, delay_s=PACE_S)
        assert await pair.other.stop() == 0
        await story.sees(of_attempt(2))
        await story.holds()
    assert await caller.redis.hget(keys.meta(caller.session), "losses") is None


async def length(caller: Caller) -> int:
    """How many entries the log has."""
    return int(await caller.redis.xlen(keys.log(caller.session)))


async def is_longer(caller: Caller, entries: int) -> bool:
    """Whether the log has more entries than so many."""
    return await length(caller) > entries


@pytest.mark.parametrize("far", ["in the index", "in the log"])
async def test_a_start_that_a_slow_redis_has_not_answered_yet_is_handed_over_too(
    pair: Pair, caller: Caller, upstream: Upstream, far: str
) -> None:
    upstream.prompts[caller.session] = Script(text=PIECES)
    arrived = {
        "in the index": lambda: caller.redis.zscore(keys.RUNNING, caller.session),
        "in the log": lambda: caller.redis.exists(keys.log(caller.session)),
    }[far]
    assert pair.wire
    pair.wire.delay_s = 2 * DRAIN_S

    async def end() -> int:
        await until(arrived, 10)
        return await pair.generate.stop()

    ending = asyncio.create_task(end())
    async with Story(pair, caller) as story:
        await story.holds()
    assert await ending == 0
    assert (await caller.started())[-1]["attempt"] == "2"
    assert await caller.redis.hget(keys.meta(caller.session), "losses") is None


async def test_two_rolling_restarts_fail_no_answer(pair: Pair, caller: Caller, upstream: Upstream) -> None:
    callers = [Caller(service, caller.redis, nanoid.generate()) for service in (pair.generate, pair.other) * 3]
    gates = {each.session: Gate() for each in callers}
    upstream.prompts |= {session: Script(text=PIECES, gate=gate) for session, gate in gates.items()}
    async with AsyncExitStack() as told_all:
        stories = [await told_all.enter_async_context(Story(pair, each)) for each in callers]
        for service in (pair.generate, pair.other) * 2:
            for gate in gates.values():
                gate.let_out(100)
            assert await service.stop() == 0
            await service.start()
        for gate in gates.values():
            gate.let_out(10 * len(PIECES))
        await asyncio.gather(*(story.holds() for story in stories))
    metas = [await caller.redis.hgetall(keys.meta(each.session)) for each in callers]
    assert [meta.get("losses") for meta in metas] == [None] * len(metas)
    # Whoever had it let go of it: at least twice, since both were restarted twice.
    assert min(int(meta["attempt"]) for meta in metas) >= 3


async def is_draining(caller: Caller, url: str) -> bool:
    """Whether a process says that it wants no more work, and takes none."""
    at = Caller(caller.service, caller.redis, caller.session)
    async with at._client() as client:
        ready = await client.get(f"{url}/readyz")
        if ready.status_code == 200:
            return False
        refused = await client.post(f"{url}/api/generate-stream", json={"prompt": "Hello?"})
    assert told(ready) == told(refused) == (503, "draining")
    return True
