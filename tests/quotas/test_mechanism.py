"""The scripts of quotas: so many and no more, whoever asks; nothing for who is refused; an end for all that is held."""

import asyncio
import math
from typing import Any

import pytest

from shared import quotas
from shared.quotas import Allowance, Refused, Taken
from shared.wires import Wires
from tests.processes import until
from tests.quotas.stock import Stock, now_ms

pytestmark = pytest.mark.anyio

HELD_MS = 6_000
MINUTE_MS = 60_000
DAY_S = 86_400
ROUNDS = 50
CLOCK_S = 5.0
"""What a busy machine may take between two looks at a clock."""

Replicas = tuple[Wires, Wires]


async def begin(at: Wires, stock: Stock, allowance: Allowance, name: str, session: str = "") -> Taken | Refused:
    return await quotas.begin(at, stock.subject, allowance, name, session or name, HELD_MS)


async def leave(
    at: Wires, stock: Stock, session: str, score: str, start: str = "", tokens: int = 0, before: str = ""
) -> None:
    named = quotas.answers(stock.subject)
    await quotas.LEAVE(at.of(named[0]), named, (start, session, score, tokens, before))


@pytest.mark.parametrize("allowance", [Allowance(running=3), Allowance(starts=3), Allowance(starts=3, running=3)])
async def test_of_many_who_ask_in_one_moment_exactly_so_many_win(
    replicas: Replicas, somebody: Stock, allowance: Allowance
) -> None:
    for number in range(ROUNDS):
        asking = [begin(replicas[each % 2], somebody, allowance, f"{number}-{each}") for each in range(8)]
        found = await asyncio.gather(*asking)
        assert sum(isinstance(one, Taken) for one in found) == 3
        await somebody.clear()


async def test_seats_are_given_to_so_many_of_all_processes(replicas: Replicas, somebody: Stock) -> None:
    key = somebody.key("viewers")
    for number in range(ROUNDS):
        asking = [quotas.SEAT(replicas[each % 2].of(key), [key], (f"{number}-{each}", 3, 60_000)) for each in range(8)]
        assert sorted(await asyncio.gather(*asking)) == [0] * 5 + [1] * 3
        await somebody.clear()


async def test_who_is_refused_has_taken_nothing_of_anything(replicas: Replicas, somebody: Stock, client: Any) -> None:
    at, _ = replicas
    for allowance, limit in (
        (Allowance(starts=1, running=9), "starts"),
        (Allowance(starts=9, running=1), "running"),
        (Allowance(starts=9, running=9, tokens=10), "tokens"),
    ):
        await begin(at, somebody, allowance, "first")
        await leave(at, somebody, "none", "", tokens=10)
        held = [await somebody.scores(what) for what in ("starts", "running")]
        refused = await begin(at, somebody, allowance, "second")
        assert isinstance(refused, Refused)
        assert refused.limit == limit
        assert [await somebody.scores(what) for what in ("starts", "running")] == held
        await somebody.clear()


async def test_asked_again_it_is_the_same_start_and_the_same_seat(replicas: Replicas, somebody: Stock) -> None:
    one, other = replicas
    allowance = Allowance(starts=1, running=1)
    first, again = await begin(one, somebody, allowance, "a"), await begin(other, somebody, allowance, "a")
    assert isinstance(first, Taken)
    assert isinstance(again, Taken)
    assert (first.before, again.before) == ("", first.score)
    assert [len(await somebody.scores(what)) for what in ("starts", "running")] == [1, 1]


async def test_a_start_that_is_refused_leaves_the_seat_to_the_answer_that_runs(
    replicas: Replicas, somebody: Stock
) -> None:
    one, other = replicas
    allowance = Allowance(running=1)
    runs, refused = await begin(one, somebody, allowance, "a", "s"), await begin(other, somebody, allowance, "b", "s")
    assert isinstance(runs, Taken)
    assert isinstance(refused, Taken)
    await leave(other, somebody, "s", refused.score, "b", before=refused.before)
    assert isinstance(await begin(other, somebody, allowance, "c"), Refused)
    await leave(one, somebody, "s", runs.score)
    assert isinstance(await begin(other, somebody, allowance, "c"), Taken)


async def test_who_comes_back_when_told_finds_room_in_the_minute(
    replicas: Replicas, somebody: Stock, client: Any
) -> None:
    at, _ = replicas
    allowance = Allowance(starts=2)
    for name in ("a", "b"):
        await begin(at, somebody, allowance, name)
    await somebody.pass_by("starts", 42.5)
    refused = await begin(at, somebody, allowance, "c")
    assert isinstance(refused, Refused)
    oldest = min((await somebody.scores("starts")).values())
    left_s = (oldest + MINUTE_MS - await now_ms(client)) / 1000
    assert math.ceil(left_s) <= refused.wait_s <= math.ceil(left_s + CLOCK_S)
    await somebody.pass_by("starts", refused.wait_s)
    assert isinstance(await begin(at, somebody, allowance, "c"), Taken)


async def test_a_seat_is_left_at_the_score_last_seen_alone(replicas: Replicas, somebody: Stock) -> None:
    one, other = replicas
    allowance = Allowance(running=1)
    seat = await begin(one, somebody, allowance, "a", "session")
    assert isinstance(seat, Taken)
    key = somebody.key("running")
    renewed = await quotas.RENEW(other.of(key), [key], (HELD_MS, "session"))
    await leave(one, somebody, "session", seat.score)
    assert list(await somebody.scores("running")) == ["session"]
    await leave(other, somebody, "session", renewed.decode())
    assert await somebody.scores("running") == {}


async def test_a_seat_that_nobody_renews_is_over_by_the_servers_clock_and_its_key_too(
    replicas: Replicas, somebody: Stock, client: Any
) -> None:
    at, _ = replicas
    before = await now_ms(client)
    await begin(at, somebody, Allowance(running=1), "a")
    [till] = (await somebody.scores("running")).values()
    assert before + HELD_MS <= till <= await now_ms(client) + HELD_MS
    assert 0 < await client.pttl(somebody.key("running")) <= HELD_MS
    assert isinstance(await begin(at, somebody, Allowance(running=1), "b"), Refused)
    await somebody.pass_by("running", HELD_MS / 1000)
    assert isinstance(await begin(at, somebody, Allowance(running=1), "b"), Taken)
    assert list(await somebody.scores("running")) == ["b"]


async def test_what_a_clock_that_went_back_has_left_ahead_holds_nobody_up(replicas: Replicas, somebody: Stock) -> None:
    at, _ = replicas
    allowance = Allowance(starts=1, running=1)
    await begin(at, somebody, allowance, "a")
    for what in ("starts", "running"):
        await somebody.pass_by(what, -3600)
    assert isinstance(await begin(at, somebody, allowance, "b"), Taken)
    key = somebody.key("viewers")
    assert await quotas.SEAT(at.of(key), [key], ("a", 1, 60_000)) == 1
    await somebody.pass_by("viewers", -3600)
    assert await quotas.SEAT(at.of(key), [key], ("b", 1, 60_000)) == 1


async def test_the_tokens_of_a_day_are_gone_at_midnight_and_who_is_refused_is_told_when(
    replicas: Replicas, somebody: Stock, client: Any
) -> None:
    one, other = replicas
    await asyncio.gather(*(leave(replicas[each % 2], somebody, "none", "", tokens=each) for each in range(1, 11)))
    assert await somebody.tokens() == 55
    ends_ms = await now_ms(client) + await client.pttl(somebody.key("tokens"))
    assert round(ends_ms / 1000) % DAY_S == 0
    assert isinstance(await begin(one, somebody, Allowance(tokens=56), "a"), Taken)
    refused = await begin(other, somebody, Allowance(tokens=55), "b")
    assert isinstance(refused, Refused)
    left_s = (ends_ms - await now_ms(client)) / 1000
    assert math.ceil(left_s) <= refused.wait_s <= math.ceil(left_s + CLOCK_S)
    await client.pexpire(somebody.key("tokens"), 1)

    async def gone() -> bool:
        return isinstance(await begin(other, somebody, Allowance(tokens=1), "c"), Taken)

    await until(gone, CLOCK_S)


async def test_at_maxmemory_seats_are_taken_renewed_and_left_and_tokens_counted(
    replicas: Replicas, somebody: Stock, client: Any
) -> None:
    at, _ = replicas
    key = somebody.key("viewers")
    await client.config_set("maxmemory", 1)
    try:
        seat = await begin(at, somebody, Allowance(2, 2, 2), "a")
        assert isinstance(seat, Taken)
        assert await quotas.SEAT(at.of(key), [key], ("a", 1, 60_000)) == 1
        assert await quotas.SEAT(at.of(key), [key], ("b", 1, 60_000)) == 0
        assert await quotas.RENEW(at.of(key), [key], (60_000, "a", "c"))
        await leave(at, somebody, "a", seat.score, "a", tokens=7)
    finally:
        await client.config_set("maxmemory", 0)
    assert [await somebody.scores(what) for what in ("starts", "running")] == [{}, {}]
    assert await somebody.tokens() == 7
    assert (await somebody.scores("viewers")).keys() == {"a", "c"}
