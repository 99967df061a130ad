"""Answers of one address over two processes of generate-stream: so many at a time, so many in a minute."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import until
from tests.quotas.stock import Stock, now_ms
from tests.system.pair import LEASE_S, TAKEN_S, Pair

pytestmark = pytest.mark.anyio

RUNNING, STARTS = 3, 5
ROUNDS = 12
LITTLE_S = 8.0
"""What a busy machine may add to any deadline."""


@pytest.fixture(scope="module")
async def few(url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """An address has so many answers at a time."""
    async with Pair(url, leash, upstream.url, REJOIN_ADDRESS_RUNNING_MAX=str(RUNNING)) as running:
        yield running


@pytest.fixture(scope="module")
async def slow(url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """An address begins so many answers in a minute."""
    async with Pair(url, leash, upstream.url, REJOIN_ADDRESS_STARTS_PER_MINUTE=str(STARTS)) as running:
        yield running


@pytest.fixture
def endless(upstream: Upstream, session: str) -> str:
    """A prompt whose answer goes on until it is stopped."""
    upstream.prompts[session] = Script(gate=Gate())
    return session


def callers(pair: Pair, client: Any, number: int) -> list[Caller]:
    """Of sessions of their own, each second one at the other process."""
    both = (pair.generate, pair.other)
    return [Caller(both[each % 2], client, str(nanoid.generate())) for each in range(number)]


async def asked(callers: list[Caller], prompt: str) -> list[httpx2.Response]:
    """All in one moment."""
    return list(await asyncio.gather(*(caller.ask(prompt=prompt, provider="openai") for caller in callers)))


async def stopped(callers: list[Caller]) -> None:
    await asyncio.gather(*(caller.stop() for caller in callers))


async def test_of_many_who_race_for_the_last_places_exactly_so_many_win(
    few: Pair, client: Any, here: Stock, endless: str
) -> None:
    for _ in range(ROUNDS):
        racing = callers(few, client, RUNNING + 3)
        said = await asked(racing, endless)
        winners = [caller for caller, one in zip(racing, said, strict=True) if one.status_code == 202]
        assert len(winners) == RUNNING
        for one in said:
            if one.status_code != 202:
                assert told(one) == (429, "too_many_running_of_address")
                assert one.headers["retry-after"] == "1"
        assert (await here.scores("running")).keys() == {caller.session for caller in winners}
        await stopped(winners)
        await here.are("running", 0)


async def test_a_start_that_is_refused_gives_its_seat_back(few: Pair, client: Any, here: Stock, endless: str) -> None:
    [caller] = callers(few, client, 1)
    elsewhere = Caller(few.other, client, caller.session)
    await caller.start(key="once", prompt=endless, provider="openai")
    assert (await elsewhere.ask(prompt="Another?")).status_code == 409
    assert (await elsewhere.ask(key="once", prompt=endless, provider="openai")).json()["generation"] == 1
    assert (await elsewhere.ask(key="once", prompt="Another?")).status_code == 422
    assert (await here.scores("running")).keys() == {caller.session}
    await caller.stop()
    await caller.ended()
    await here.are("running", 0, LEASE_S + LITTLE_S)
    assert (await elsewhere.ask(key="once", prompt="Another?")).status_code == 422
    assert (await elsewhere.ask(prompt="Another?", replaces=7)).status_code == 422
    assert await here.scores("running") == {}


async def test_the_seat_of_an_answer_lasts_as_long_as_it_does_and_no_longer(
    few: Pair, client: Any, here: Stock, endless: str
) -> None:
    [caller] = callers(few, client, 1)
    await caller.start(prompt=endless, provider="openai")
    [first] = (await here.scores("running")).values()

    async def renewed() -> bool:
        [till] = (await here.scores("running")).values()
        return till > first + 2 * LEASE_S * 1000

    await until(renewed, 2 * LEASE_S + LITTLE_S)
    await caller.delete()
    await here.are("running", 0, LEASE_S + LITTLE_S)


async def test_a_killed_producers_seat_goes_to_who_takes_over_and_comes_back_where_nobody_does(
    few: Pair, client: Any, here: Stock, endless: str
) -> None:
    caller = Caller(few.generate, client, endless)
    await caller.start(prompt=endless, provider="openai")
    await few.generate.kill()

    async def taken() -> bool:
        return bool(await client.hget(keys.meta(endless), "attempt") == "2")

    await until(taken, TAKEN_S + LITTLE_S)
    await here.are("running", 1)
    held = await here.scores("running")

    async def renewed() -> bool:
        return (await here.scores("running"))[endless] > held[endless]

    await until(renewed, LEASE_S + LITTLE_S)
    await few.other.kill()
    [till] = (await here.scores("running")).values()
    assert till <= await now_ms(client) + LEASE_S * 1000
    await here.are("running", 0, LEASE_S + LITTLE_S)
    await few.mend()
    assert (await caller.ended())["code"] == "producer_lost"
    await here.are("running", 0)


async def test_of_many_who_race_for_the_last_starts_of_a_minute_exactly_so_many_win(
    slow: Pair, client: Any, here: Stock
) -> None:
    for _ in range(ROUNDS):
        said = await asked(callers(slow, client, STARTS + 3), "Hello?")
        assert sorted(one.status_code for one in said) == [202] * STARTS + [429] * 3
        assert {told(one) for one in said if one.status_code == 429} == {(429, "too_many_starts")}
        assert len(await here.scores("starts")) == STARTS
        await here.clear()


async def test_who_comes_back_to_a_full_minute_when_told_is_let_in(slow: Pair, client: Any, here: Stock) -> None:
    said = await asked(callers(slow, client, STARTS + 1), "Hello?")
    [refused] = [one for one in said if one.status_code == 429]
    wait_s = int(refused.headers["retry-after"])
    assert 50 <= wait_s <= 60
    await here.pass_by("starts", wait_s)
    assert [one.status_code for one in await asked(callers(slow, client, 1), "Hello?")] == [202]


async def test_a_repeat_begins_nothing_and_counts_nothing(slow: Pair, client: Any, here: Stock) -> None:
    one, other = callers(slow, client, 2)
    other.session = one.session
    for caller in (one, other, one):
        assert await caller.start(key="once", prompt="Hello?") == 1
    assert len(await here.scores("starts")) == 1


async def test_a_limit_that_is_not_set_costs_no_command(slow: Pair, few: Pair, client: Any, here: Stock) -> None:
    await callers(slow, client, 1)[0].start(prompt="Hello?")
    assert await here.scores("running") == {}
    await here.clear()
    await callers(few, client, 1)[0].start(prompt="Hello?")
    assert await here.scores("starts") == {}
    assert await here.tokens() == 0


async def test_at_maxmemory_a_start_is_refused_for_room_and_takes_nothing(
    few: Pair, slow: Pair, client: Any, here: Stock
) -> None:
    await client.config_set("maxmemory", 1)
    try:
        for pair in (few, slow):
            [said] = await asked(callers(pair, client, 1), "Hello?")
            assert told(said) == (503, "storage_full")
    finally:
        await client.config_set("maxmemory", 0)
    assert [await here.scores(what) for what in ("starts", "running")] == [{}, {}]
