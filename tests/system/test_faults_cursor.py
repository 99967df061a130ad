"""Where viewers come back to: a life that is over, the future, a voided attempt, a log that goes away under them."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from deploy.leash import Leash
from shared import keys
from shared.events import event
from tests.consume_stream.facts import has_frames, no_groups
from tests.consume_stream.outside_writer import OutsideWriter
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import Services, until, vendor_settings
from tests.system.invariant import holds
from tests.system.own_process import CONSUME, GENERATE, process
from tests.system.starved import narrow, request, sipped
from tests.viewing import Cut, Frame, Refused, Viewer

pytestmark = pytest.mark.anyio

WORDS = tuple(f"wörd {number} 🌊\u2028 " for number in range(60))
SENT = "".join(WORDS)
OTHER = tuple(f"other {number} " for number in range(20))
PATIENCE_S = 3.0
"""One lease, and two seconds."""

BRISK = {"REJOIN_LEASE_S": "1", "REJOIN_SWEEP_S": "0.2", "REJOIN_RECHECK_S": "0.5", "REJOIN_PING_S": "0.5"}
DEADLINE_S = 20.0


@pytest.fixture(scope="module")
async def brisk(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on a Redis of their own, with short leases."""
    async with Services(own_redis, leash, vendors=upstream.url, **BRISK) as running:
        yield running


@pytest.fixture
def caller(brisk: Services, own_client: Any, session: str) -> Caller:
    """Who asks in this test's session."""
    return Caller(brisk.generate, own_client, session)


@pytest.mark.parametrize("follow", ["answer", "session"])
async def test_a_cursor_of_a_life_that_is_over_begins_the_new_one(
    brisk: Services, upstream: Upstream, own_client: Any, caller: Caller, session: str, follow: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS)
    await caller.start(prompt=session)
    viewers = [Viewer(brisk.consume.url, session, follow) for _ in range(3)]
    for viewer in viewers[1:]:
        await viewer.connect(until=is_end)
    await viewers[0].connect(until=lambda _: True)
    assert (await caller.delete()).status_code == 204
    upstream.prompts[session] = Script(text=OTHER)
    await caller.start(prompt=session)
    await asyncio.gather(*(viewer.connect(until=is_end) for viewer in viewers))
    for viewer in viewers:
        assert [f.event["reason"] for f in viewer.frames if f.event["type"] == "reset"] == ["unknown_position"]
    await holds(own_client, session, viewers, "".join(OTHER))


@pytest.mark.parametrize("later", ["99999999999999-0", "18446744073709551615-18446744073709551615"])
async def test_a_cursor_of_the_future_waits_and_then_begins_anew(
    brisk: Services, upstream: Upstream, own_client: Any, caller: Caller, session: str, later: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    await caller.start(prompt=session)
    viewer = Viewer(brisk.consume.url, session)
    viewer.last_id = later
    gate.let_out(30)
    began = time.monotonic()
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 1)
        assert PATIENCE_S - 0.2 < time.monotonic() - began < PATIENCE_S + 3
        assert viewer.frames[0].event == {"type": "reset", "reason": "unknown_position"}
        gate.let_out(len(WORDS))
    await holds(own_client, session, [viewer], SENT)


@pytest.mark.parametrize(
    "malformed", ["1", "1-", "-1", "1-1-1", "x-1", "1-1 ", "18446744073709551616-0", "٣-1", "$", ">"]
)
async def test_a_malformed_cursor_is_refused_and_makes_nothing(
    brisk: Services, own_client: Any, session: str, malformed: str
) -> None:
    await OutsideWriter(own_client, session).answer("One.")
    async with httpx2.AsyncClient(verify=False) as client:
        query = {"sessionId": session, "lastEventId": malformed}
        response = await client.get(f"{brisk.consume.url}/api/consume-stream", params=query)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_resume_point")
    await no_groups(own_client, session)


async def test_cursors_of_a_foreign_writer_are_as_good_as_ours(
    brisk: Services, upstream: Upstream, own_client: Any, caller: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS)
    entries = [{"type": "metadata", "status": "started", "generation": "1", "attempt": "1", "prompt": "?"}]
    entries += [{"type": "chunk", "generation": "1", "content": word} for word in OTHER]
    entries += [{"type": "metadata", "status": "completed", "generation": "1"}]
    ids = [await own_client.xadd(keys.log(session), entry) for entry in entries]
    assert await caller.start(prompt=session) == 2
    await caller.ended(2)
    for place, at in enumerate(ids):
        viewer = Viewer(brisk.consume.url, session)
        viewer.last_id = at
        await viewer.connect()
        assert [frame.event["type"] for frame in viewer.frames].count("reset") == 0
        assert viewer.text == "".join(OTHER[place:]) + SENT


async def test_every_cursor_is_good_after_a_takeover_also_one_of_the_attempt_that_it_voided(
    brisk: Services, upstream: Upstream, own_redis: str, own_client: Any, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    environ = {"REDIS_URL": own_redis, **vendor_settings(upstream.url), **BRISK}
    async with process(GENERATE, leash, **environ) as doomed:
        lost = Caller(doomed, own_client, session)
        await lost.start(prompt=session)
        gate.let_out(30)
        await lost.has_text("".join(WORDS[:30]))
        await doomed.kill()
        gate.let_out(10 * len(WORDS))
        await lost.ended()
    entries = await own_client.xrange(keys.log(session))
    voided = [at for at, _ in entries if at.partition("-")[0] == entries[0][0].partition("-")[0]]
    assert 1 < len(voided) < len(entries)
    viewers = [Viewer(brisk.consume.url, session) for _ in entries[:-1]]
    for place, viewer in enumerate(viewers, 1):
        for at, fields in entries[:place]:
            viewer.take(Frame(at, event(fields), None))
        await viewer.connect()
        assert "reset" not in {frame.event["type"] for frame in viewer.frames}
    await holds(own_client, session, viewers, SENT)


@pytest.mark.parametrize("how", ["deleted", "expired"])
async def test_a_log_that_goes_away_under_viewers_and_a_writer_is_a_clear_end_for_both(
    brisk: Services, upstream: Upstream, own_client: Any, caller: Caller, session: str, how: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    await caller.start(prompt=session)
    gate.let_out(20)
    answer, staying = Viewer(brisk.consume.url, session), Viewer(brisk.consume.url, session, "session")
    async with asyncio.TaskGroup() as both:
        cut = both.create_task(is_cut(answer))
        both.create_task(staying.connect(until=is_end))
        for viewer in (answer, staying):
            await has_text(viewer, "".join(WORDS[:20]))
        await (caller.delete() if how == "deleted" else expire(own_client, session))
        gone = time.monotonic()
        # The writer stops paying, and writes nothing into a session that is no more.
        await gate.left_within(5)
        await cut
        # Who removed it said so; what expired could be a loss, which its writer would be about to fill.
        least, most = (0, PATIENCE_S - 0.5) if how == "deleted" else (PATIENCE_S - 0.5, PATIENCE_S + 3)
        assert least < time.monotonic() - gone < most
        await until(lambda: has_reset(staying, "gone"), DEADLINE_S)
        began = time.monotonic()
        with pytest.raises(Refused, match=r"404 .*session_not_found"):
            await answer.connect()
        assert (time.monotonic() - began < PATIENCE_S - 0.5) == (how == "deleted")
        assert not await own_client.exists(keys.log(session))
        upstream.prompts[session] = Script(text=OTHER)
        await caller.start(prompt=session)
    await holds(own_client, session, [staying], "".join(OTHER))


async def test_a_session_is_gone_when_its_time_is_over(
    brisk: Services, upstream: Upstream, own_redis: str, own_client: Any, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS)
    environ = {"REDIS_URL": own_redis, "REJOIN_TTL_S": "2", **vendor_settings(upstream.url), **BRISK}
    async with process(GENERATE, leash, **environ) as short:
        caller = Caller(short, own_client, session)
        await caller.start(prompt=session)
        viewer = Viewer(brisk.consume.url, session)
        await viewer.connect()
        assert viewer.text == SENT

        async def is_gone() -> bool:
            return not await own_client.exists(keys.log(session), keys.meta(session))

        # The writer looks after its answer for three seconds more, and the time begins again with that.
        await until(is_gone, DEADLINE_S)
    with pytest.raises(Refused, match=r"404 .*session_not_found"):
        await Viewer(brisk.consume.url, session).connect()


async def test_ten_thousand_entries_are_replayed_whole_to_many_viewers_and_a_slow_one_by_small_reads(
    own_redis: str, own_client: Any, leash: Leash, session: str
) -> None:
    writer = OutsideWriter(own_client, session)
    await writer.begin()
    words = [f"{number} 🌊 " for number in range(10_000)]
    for at in range(0, 9_000, 1_000):
        await writer.say(*words[at : at + 1_000])
    async with process(CONSUME, leash, REDIS_URL=own_redis, REJOIN_BATCH_MAX="20", **BRISK) as service:
        viewers = [Viewer(service.url, session) for _ in range(12)]
        with narrow(service, request(session)) as line:
            async with asyncio.TaskGroup() as all_of_them:
                slow = all_of_them.create_task(sipped(line, 400 * 1024))
                for viewer in viewers:
                    all_of_them.create_task(viewer.connect())
                await has_frames(viewers[0], 3)
                # The replay becomes the tail while it is under way.
                await writer.say(*words[9_000:])
                await writer.end()
        late = Viewer(service.url, session)
        for at, data in re.findall(rb"^id: (.*)\ndata: (.*)$", slow.result(), re.MULTILINE):
            late.take(Frame(at.decode(), json.loads(data), None))
        for viewer in (*viewers, late):
            assert viewer.text == "".join(words)
            assert viewer.last_id == writer.ids[-1]
            assert len({frame.id for frame in viewer.frames}) == len(viewer.frames)
        await no_groups(own_client, session)


def is_end(frame: Frame) -> bool:
    """Whether an answer has ended."""
    return frame.event.get("status") == "completed"


async def is_cut(viewer: Viewer) -> None:
    """Follow a stream that breaks off."""
    with pytest.raises(Cut):
        await viewer.connect()


async def has_text(viewer: Viewer, text: str) -> None:
    """Wait until a viewer has these words."""

    async def has() -> bool:
        return viewer.text == text

    await until(has, DEADLINE_S)


async def has_reset(viewer: Viewer, reason: str) -> bool:
    """Whether the newest that a viewer was told is to forget everything."""
    return viewer.frames[-1].event == {"type": "reset", "reason": reason}


async def expire(redis_client: Any, session: str) -> None:
    """Both keys are past their time."""
    for key in (keys.log(session), keys.meta(session)):
        await redis_client.pexpire(key, 1)
