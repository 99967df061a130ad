"""Each metric is a claim: after a story, the numbers are what happened, no more and no less."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from tests.consume_stream.outside_writer import OutsideWriter
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import Service, Services, until, vendor_settings
from tests.proxy import Proxy
from tests.scraped import Scraped, scraped
from tests.system.clock_proxy import ClockProxy
from tests.system.nudge_proxy import NudgeProxy
from tests.system.own_process import CONSUME, GENERATE, process
from tests.system.pair import SHORT
from tests.viewing import Refused, Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

PIECES = ("One ", "two ", "three ", "four ", "five.")
DEADLINE_S = 30.0
RECHECK_S = 0.2


@pytest.fixture(scope="module")
async def alone(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Two processes that nobody else counts in."""
    limits = {"REJOIN_VIEWERS_MAX": "40", "REJOIN_VIEWERS_PER_SESSION_MAX": "2", "REJOIN_RUNNING_MAX": "30"}
    async with Services(own_redis, leash, vendors=upstream.url, **SHORT | limits) as running:
        yield running


@pytest.fixture
def caller(alone: Services, own_client: Any, session: str) -> Caller:
    """A client of them."""
    return Caller(alone.generate, own_client, session)


@pytest.fixture
def writer(own_client: Any, session: str) -> OutsideWriter:
    """Writes what they read."""
    return OutsideWriter(own_client, session)


class Since:
    """What has been counted since it was made."""

    def __init__(self, service: Service, before: Scraped) -> None:
        self._service, self._before = service, before

    @classmethod
    async def now(cls, service: Service) -> "Since":
        """From here on."""
        return cls(service, await scraped(service))

    async def __call__(self, name: str, **labels: str) -> float:
        """How much more there is of one sample, or of all that have these labels."""
        return (await scraped(self._service))(name, **labels) - self._before(name, **labels)

    async def reaches(self, number: float, name: str) -> None:
        """Wait until there is at least so much more of it."""

        async def so_much() -> bool:
            return await self(name) >= number

        await until(so_much, DEADLINE_S)

    async def becomes(self, number: float, name: str, **labels: str) -> None:
        """Wait until there is so much more of it."""

        async def so_much() -> bool:
            return await self(name, **labels) == number

        await until(so_much, DEADLINE_S)


async def said_one_by_one(gate: Gate, viewer: Viewer) -> None:
    """Each piece is before the viewer's eyes before the next one is said: an append, an entry, a read of its own."""
    for number in range(1, len(PIECES) + 1):
        gate.let_out()

        async def seen(said: str = "".join(PIECES[:number])) -> bool:
            return viewer.text == said

        await until(seen, DEADLINE_S)


async def test_an_answer_that_is_completed_is_counted_to_the_word(
    alone: Services, caller: Caller, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.prompts[caller.session] = Script(text=PIECES, gate=gate, input_tokens=13, output_tokens=8)
    wrote, read = await Since.now(alone.generate), await Since.now(alone.consume)
    await caller.start(prompt=caller.session, provider="openai")
    assert await wrote("rejoin_generations_running") == 1
    viewer = Viewer(alone.consume.url, caller.session)
    viewing = asyncio.create_task(viewer.connect())
    # At the end of the log: what comes from here on is live.
    await read.becomes(1, "rejoin_frames_total", path="replay")
    assert await read("rejoin_viewers") == 1
    await said_one_by_one(gate, viewer)
    await viewing
    assert viewer.text == "".join(PIECES)
    await wrote.becomes(1, "rejoin_generations_total", provider="openai", outcome="completed", code="")
    live = len(PIECES) + 1
    counted = {
        "rejoin_generations_running": 0.0, "rejoin_generations_started_total": 1.0, "rejoin_generations_total": 1.0,
        "rejoin_time_to_first_token_seconds_count": 1.0, "rejoin_token_gap_seconds_count": len(PIECES) - 1.0,
        "rejoin_append_entries_sum": live,
        "rejoin_appended_entries_total": live, "rejoin_takeovers_total": 0.0, "rejoin_http_errors_total": 0.0,
    }  # fmt: skip
    assert {name: await wrote(name) for name in counted} == counted
    assert await wrote("rejoin_tokens_total", provider="openai", direction="input") == 13
    assert await wrote("rejoin_tokens_total", provider="openai", direction="output") == 8
    # Heartbeats come between.
    assert len(PIECES) <= await wrote("rejoin_append_seconds_count") <= await wrote("rejoin_appends_total")
    assert await read("rejoin_frames_total", path="live") == live
    # The vendor ends with its last word: both may leave in one append, and come in one read.
    appends, reads = await wrote("rejoin_append_entries_count"), await read("rejoin_viewer_lag_seconds_count")
    assert len(PIECES) <= reads <= appends <= live
    assert 0 < await read("rejoin_viewer_lag_seconds_sum") < live * DEADLINE_S
    # A late viewer gets `started`, the chunks as one frame, and the end.
    await Viewer(alone.consume.url, caller.session).connect()
    assert await read("rejoin_frames_total", path="replay") == 1 + 3
    assert await read("rejoin_entries_read_total") == 2 * (1 + live)
    assert await read("rejoin_frames_total", path="live") == live
    assert await read("rejoin_viewer_lag_seconds_count") == reads
    assert await read("rejoin_late_finds_total") == 0


async def test_the_first_token_and_the_gaps_take_as_long_as_the_provider_takes(
    alone: Services, caller: Caller, upstream: Upstream
) -> None:
    upstream.prompts[caller.session] = Script(text=PIECES, delay_s=0.06)
    wrote = await Since.now(alone.generate)
    await caller.start(prompt=caller.session, provider="anthropic")
    end = await caller.ended()
    first_s = await wrote("rejoin_time_to_first_token_seconds_sum", provider="anthropic")
    gaps_s = await wrote("rejoin_token_gap_seconds_sum", provider="anthropic")
    assert abs(first_s * 1000 - int(end["ttftMs"])) <= 1
    assert first_s >= 0.06 * 0.9
    assert 0.06 * (len(PIECES) - 1) * 0.9 <= gaps_s <= int(end["durationMs"]) / 1000 - first_s + 0.001


async def test_a_stopped_answer_and_a_failed_one_are_told_apart_by_outcome_and_code(
    alone: Services, caller: Caller, upstream: Upstream
) -> None:
    gate = Gate()
    wrote = await Since.now(alone.generate)
    upstream.prompts[caller.session] = Script(text=PIECES, gate=gate)
    await caller.start(prompt=caller.session, provider="openai")
    gate.let_out(2)
    await caller.has_text("".join(PIECES[:2]))
    await caller.stop()
    await caller.ended()
    failing = f"{caller.session} fails"
    upstream.prompts[failing] = Script(status=401)
    await caller.start(prompt=failing, provider="anthropic")
    await caller.ended(2)
    await wrote.becomes(0, "rejoin_generations_running")
    assert await wrote("rejoin_generations_total", provider="openai", outcome="stopped", code="") == 1
    assert await wrote("rejoin_generations_total", provider="anthropic", outcome="failed", code="provider_auth") == 1
    assert await wrote("rejoin_generations_total") == await wrote("rejoin_generations_started_total") == 2
    # A vendor tells its count with the end that neither of them had.
    assert await wrote("rejoin_tokens_total") == 0
    assert await wrote("rejoin_time_to_first_token_seconds_count") == 1


async def test_the_demo_counts_words_and_so_no_tokens(alone: Services, caller: Caller) -> None:
    wrote = await Since.now(alone.generate)
    await caller.start(prompt="Hello?", provider="demo")
    await caller.ended()
    await wrote.becomes(1, "rejoin_generations_total", provider="demo", outcome="completed")
    assert await wrote("rejoin_tokens_total") == 0


async def test_refusals_are_counted_by_their_code(alone: Services, caller: Caller, writer: OutsideWriter) -> None:
    wrote, read = await Since.now(alone.generate), await Since.now(alone.consume)
    assert (await caller.ask(provider="openai")).status_code == 400
    assert (await caller.get("/nowhere")).status_code == 404
    assert await wrote("rejoin_http_errors_total", code="not_found") == 1
    assert await wrote("rejoin_http_errors_total") == 2
    await writer.begin()
    viewing = [asyncio.create_task(Viewer(alone.consume.url, writer.session).connect()) for _ in range(2)]
    await read.becomes(2, "rejoin_viewers")
    with pytest.raises(Refused):
        await Viewer(alone.consume.url, writer.session).connect()
    assert await read("rejoin_viewers_refused_total", code="too_many_viewers_of_session") == 1
    assert await read("rejoin_http_errors_total", code="too_many_viewers_of_session") == 1
    await writer.end()
    await asyncio.gather(*viewing)
    await read.becomes(0, "rejoin_viewers")


async def test_a_viewer_with_an_unknown_position_is_counted_as_a_reset(alone: Services, writer: OutsideWriter) -> None:
    read = await Since.now(alone.consume)
    await writer.answer("Hello")
    viewer = Viewer(alone.consume.url, writer.session)
    viewer.last_id = "17-4"
    await viewer.connect()
    assert await read("rejoin_resets_total", reason="unknown_position") == 1
    assert await read("rejoin_resets_total") == 1


async def test_limits_stand_beside_what_they_limit(alone: Services) -> None:
    assert (await scraped(alone.consume))("rejoin_viewers_max") == 40
    assert (await scraped(alone.generate))("rejoin_generations_running_max") == 30


async def test_words_that_were_old_when_a_viewer_got_them_show_as_lag(
    alone: Services, own_client: Any, session: str
) -> None:
    writer = OutsideWriter(own_client, session, ahead_s=-3.0)
    read = await Since.now(alone.consume)
    await writer.begin()
    viewing = asyncio.create_task(Viewer(alone.consume.url, writer.session).connect())
    await read.becomes(1, "rejoin_frames_total", path="replay")
    await writer.say("late")
    await read.becomes(1, "rejoin_viewer_lag_seconds_count")
    assert 2.99 <= await read("rejoin_viewer_lag_seconds_sum") < 3 + DEADLINE_S
    assert await read("rejoin_viewer_lag_seconds_bucket", le="2.5") == 0
    # What a foreign writer says instead of a number measures nothing.
    await writer.add({"type": "chunk", "generation": 1, "content": "odd", "ms": "²"})
    await writer.add({"type": "metadata", "status": "completed", "generation": 1, "ms": "soon"})
    await viewing
    assert await read("rejoin_viewer_lag_seconds_count") == 1


@pytest.mark.parametrize("ahead_s", [-100, 100])
async def test_lag_is_by_the_clock_of_redis_whatever_ours_says(
    own_redis: str, leash: Leash, own_client: Any, session: str, ahead_s: int
) -> None:
    async with ClockProxy(own_redis) as wire:
        wire.ahead_s = ahead_s
        async with process(CONSUME, leash, REDIS_URL=wire.url) as consume:
            read = await Since.now(consume)
            # As that Redis would have given its ids, half a second ago.
            writer = OutsideWriter(own_client, session, ahead_s - 0.5)
            await writer.begin()
            viewing = asyncio.create_task(Viewer(consume.url, writer.session).connect())
            await read.becomes(1, "rejoin_frames_total", path="replay")
            await writer.say("late")
            await read.becomes(1, "rejoin_viewer_lag_seconds_count")
            assert 0.45 <= await read("rejoin_viewer_lag_seconds_sum") < 0.5 + DEADLINE_S
            await writer.end()
            await viewing


@pytest.fixture
async def deaf(own_redis: str, leash: Leash) -> AsyncIterator[tuple[NudgeProxy, Service]]:
    """A reader whose nudges a test decides on."""
    async with (
        NudgeProxy(own_redis, lambda _: 0.0) as wire,
        process(CONSUME, leash, REDIS_URL=wire.url, REJOIN_RECHECK_S=str(RECHECK_S)) as consume,
    ):
        yield wire, consume


async def test_a_lost_nudge_is_a_late_find_and_one_that_came_is_none(
    deaf: tuple[NudgeProxy, Service], writer: OutsideWriter
) -> None:
    wire, consume = deaf
    read = await Since.now(consume)
    await writer.begin()
    viewer = Viewer(consume.url, writer.session, follow="session")
    viewing = asyncio.create_task(viewer.connect(until=lambda frame: str(frame.event.get("content")).endswith("last")))
    await read.becomes(1, "rejoin_frames_total", path="replay")
    for number in range(5):
        await writer.say(f"heard {number}")
        await read.becomes(1 + number, "rejoin_frames_total", path="live")
    # Rechecks that find nothing count for nothing.
    await read.reaches(await read("rejoin_group_reads_total") + 3, "rejoin_group_reads_total")
    wire.fate = lambda _: None
    await writer.say("lost")
    await read.becomes(1, "rejoin_late_finds_total")
    wire.fate = lambda _: 0.0
    await writer.say("last")
    await viewing
    assert await read("rejoin_late_finds_total") == 1


@pytest.fixture
async def killed(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Service]:
    """A producer that will not see its answer's end."""
    settings = vendor_settings(upstream.url) | {"REDIS_URL": own_redis, "REJOIN_DRAIN_S": "0"} | SHORT
    async with process(GENERATE, leash, **settings) as service:
        yield service


@pytest.mark.parametrize("cause", ["lost", "released"])
async def test_a_takeover_is_counted_by_what_became_of_the_producer(
    alone: Services, killed: Service, own_client: Any, upstream: Upstream, session: str, cause: str
) -> None:
    wrote = await Since.now(alone.generate)
    caller = Caller(killed, own_client, session)
    upstream.prompts[session] = Script(text=PIECES, stall_after=2)
    await caller.start(prompt=session, provider="openai")
    await caller.has_text("".join(PIECES[:2]))
    upstream.prompts[session] = Script(text=PIECES)
    await (killed.kill() if cause == "lost" else killed.stop())
    await caller.ended()
    await wrote.becomes(1, "rejoin_generations_total", outcome="completed")
    assert await wrote("rejoin_takeovers_total", outcome="restarted", cause=cause) == 1
    assert await wrote("rejoin_takeovers_total") == await wrote("rejoin_generations_started_total") == 1


async def test_an_answer_that_is_lost_for_good_counts_as_failed_with_its_code(
    alone: Services, killed: Service, own_client: Any, upstream: Upstream, session: str, leash: Leash
) -> None:
    wrote = await Since.now(alone.generate)
    caller = Caller(killed, own_client, session)
    upstream.prompts[session] = Script(text=PIECES, stall_after=2)
    await caller.start(prompt=session, provider="openai")
    await caller.has_text("".join(PIECES[:2]))
    # As after a first loss.
    await own_client.hset(f"{{llm:stream:{session}}}:meta", "losses", "1")
    await killed.kill()
    assert (await caller.ended())["code"] == "producer_lost"
    await wrote.becomes(1, "rejoin_generations_total", provider="openai", outcome="failed", code="producer_lost")
    assert await wrote("rejoin_takeovers_total", outcome="failed", cause="lost") == 1
    assert await wrote("rejoin_generations_started_total") == 0


async def test_an_answer_that_nobody_here_may_take_over_shows_as_orphaned_until_somebody_does(
    alone: Services, killed: Service, own_client: Any, upstream: Upstream, session: str, leash: Leash, own_redis: str
) -> None:
    caller = Caller(killed, own_client, session)
    upstream.prompts[session] = Script(text=PIECES, stall_after=2)
    await caller.start(prompt=session, provider="openai")
    await caller.has_text("".join(PIECES[:2]))
    assert alone.generate.process
    # The one that could is not there to do it.
    alone.generate.process.send_signal(signal.SIGSTOP)
    async with process(GENERATE, leash, REDIS_URL=own_redis, **SHORT) as demo_only:
        try:
            orphans = await Since.now(demo_only)
            await killed.kill()
            await orphans.becomes(1, "rejoin_generations_orphaned")
            upstream.prompts[session] = Script(text=PIECES)
        finally:
            alone.generate.process.send_signal(signal.SIGCONT)
        await caller.ended()
        await orphans.becomes(0, "rejoin_generations_orphaned")
        assert await orphans("rejoin_takeovers_total") == 0


async def test_a_redis_that_is_away_shows_at_once_and_so_does_its_return(own_redis: str, leash: Leash) -> None:
    async with Proxy(own_redis) as wire, process(CONSUME, leash, REDIS_URL=wire.url) as consume:
        assert (await scraped(consume))("rejoin_redis_up") == 1
        before = await scraped(consume)
        assert before("rejoin_redis_commands_total") >= before("rejoin_redis_writes_total") > 0
        assert before("rejoin_redis_round_trip_seconds_count") >= 1
        read = Since(consume, before)
        await wire.refuse()
        await read.becomes(-1, "rejoin_redis_up")
        assert await read("rejoin_redis_disconnects_total") >= 1
        assert await read("rejoin_redis_connects_failed_total") >= 1
        await wire.heal()
        await read.becomes(0, "rejoin_redis_up")


async def test_a_loop_that_stood_still_shows_with_its_length(alone: Services) -> None:
    read = await Since.now(alone.consume)
    seen = await read("rejoin_event_loop_lag_seconds_count")
    process_ = alone.consume.process
    assert process_
    process_.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()

    async def long_enough() -> bool:
        return time.monotonic() - stopped_at > 1.5

    await until(long_enough, DEADLINE_S)
    process_.send_signal(signal.SIGCONT)
    await read.reaches(seen + 3, "rejoin_event_loop_lag_seconds_count")
    assert await read("rejoin_event_loop_lag_seconds_sum") >= 1.5 - 0.25
    late = await read("rejoin_event_loop_lag_seconds_count") - await read(
        "rejoin_event_loop_lag_seconds_bucket", le="1.0"
    )
    assert late >= 1
