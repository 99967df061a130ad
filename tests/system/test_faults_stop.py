"""Stop, at the worst of moments: exactly that generation stops, once, its words stay, and nobody pays for the rest."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.proxy import Proxy
from tests.system.pair import SWEEP_S, Pair
from tests.system.story import PIECES, Story, asked

pytestmark = pytest.mark.anyio

LEASE_S = 9.0
BEAT_S = LEASE_S / 3
"""Long enough to tell what a beat has found from what a wake-up has told."""

CLOSED_S = 0.25
LITTLE_S = 2.0
"""What a busy machine may add: less than a beat."""

SLOW_S = 0.3


@pytest.fixture(scope="module")
async def pair(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """Two producers, the first of them at the end of a wire."""
    async with (
        Proxy(own_redis) as wire,
        Pair(own_redis, leash, upstream.url, wire, REJOIN_LEASE_S=str(LEASE_S)) as running,
    ):
        yield running


@pytest.fixture
async def caller(pair: Pair, own_client: Any, session: str) -> AsyncIterator[Caller]:
    """A client of the producer that writes."""
    yield Caller(pair.generate, own_client, session)
    await pair.mend()


@pytest.fixture
def elsewhere(pair: Pair, own_client: Any, session: str) -> Caller:
    """The same client, sent to the other producer."""
    return Caller(pair.other, own_client, session)


@pytest.fixture
def gate(upstream: Upstream, session: str) -> Gate:
    """What the vendor's words wait at."""
    upstream.prompts[session] = Script(text=PIECES, gate=(gate := Gate()))
    return gate


@pytest.mark.parametrize("pieces", [0, 1, 700])
async def test_a_stop_from_three_tabs_and_two_replicas_at_once_is_one_stop(
    pair: Pair, caller: Caller, elsewhere: Caller, gate: Gate, pieces: int
) -> None:
    partial = "".join(PIECES[:pieces])
    async with Story(pair, caller) as story:
        await gate.reached_within(5)
        gate.let_out(pieces)
        await story.shows(partial)
        story.join()
        replies = asyncio.gather(*(each.stop() for each in (caller, elsewhere, elsewhere)))
        await gate.left_within(CLOSED_S + LITTLE_S)
        assert {reply.status_code for reply in await replies} <= {200, 202}
        await story.holds(partial, "stopped")


async def test_a_stop_after_the_end_changes_nothing(pair: Pair, caller: Caller, elsewhere: Caller, gate: Gate) -> None:
    async with Story(pair, caller) as story:
        gate.let_out(len(PIECES) + 1)
        await story.holds()
        before = await caller.entries()
        replies = await asyncio.gather(*(each.stop() for each in (caller, elsewhere, elsewhere)))
        assert [reply.json() for reply in replies] == [{"stopped": False}] * 3
        assert await caller.entries() == before
        await story.holds()


async def test_a_stop_on_a_slow_redis_takes_its_round_trips_and_no_beat(pair: Pair, caller: Caller, gate: Gate) -> None:
    async with Story(pair, caller) as story:
        gate.let_out(700)
        await story.shows(partial := "".join(PIECES[:700]))
        assert pair.wire
        pair.wire.delay_s = SLOW_S / 2
        began = time.monotonic()
        stopping = asyncio.create_task(caller.stop())
        await gate.left_within(LEASE_S)
        # There goes the stop and back comes the wake-up, then a round trip finds what it is about.
        assert 2 * SLOW_S <= time.monotonic() - began <= 2 * SLOW_S + CLOSED_S + LITTLE_S
        assert (await stopping).status_code == 202
        await story.holds(partial, "stopped")


async def test_a_stop_whose_wake_up_is_lost_is_found_by_the_next_beat(
    pair: Pair, caller: Caller, elsewhere: Caller, gate: Gate
) -> None:
    async with Story(pair, caller) as story:
        gate.let_out(700)
        await story.shows(partial := "".join(PIECES[:700]))
        # Where no channel of the producer's is, the wake-up goes to nobody.
        await caller.redis.hset(keys.meta(caller.session), "producer", "nobody")
        assert (await elsewhere.stop()).status_code == 202
        await gate.left_within(BEAT_S + CLOSED_S + LITTLE_S)
        await story.holds(partial, "stopped")


async def test_a_stop_of_an_answer_whose_producer_is_dead_ends_it_without_another_run(
    pair: Pair, caller: Caller, elsewhere: Caller, gate: Gate, upstream: Upstream
) -> None:
    async with Story(pair, caller) as story:
        gate.let_out(700)
        await story.shows(partial := "".join(PIECES[:700]))
        story.join()
        await pair.generate.kill()
        assert (await elsewhere.stop()).json() == {"stopped": True, "generation": 1}
        await story.sees(lambda answer: answer.status == "stopped", LEASE_S + SWEEP_S + 2)
        await story.holds(partial, "stopped")
    assert asked(upstream, caller.session) == 1
