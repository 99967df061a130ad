"""The wire between the services and Redis is cut, slow, or keeps silent: nothing is skipped, nothing comes twice."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests.ends import Direction
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import Services, until
from tests.proxy import Proxy
from tests.system.attempts import attempts
from tests.system.invariant import holds
from tests.system.nudge_proxy import Fate, NudgeProxy
from tests.system.watched import Watched
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

RECHECK_S = 1.0
LITTLE_S = 5.0
"""What a busy machine may add to any deadline."""
SETTINGS = {"REJOIN_LEASE_S": "3", "REJOIN_SWEEP_S": "0.2", "REJOIN_PING_S": "0.5", "REJOIN_RECHECK_S": str(RECHECK_S)}

CUTS = (*range(1, 40, 3), *range(40, 400, 31), *range(400, 4000, 700))
"""After how many bytes more: within the heads of commands and replies, within their contents, and behind several."""


class Far(Services):
    """Both services, each behind a wire of its own."""

    def __init__(self, redis_url: str, leash: Leash, vendors: str, wires: dict[str, Proxy]) -> None:
        super().__init__(redis_url, leash, vendors=vendors, **SETTINGS)
        self.wires = wires
        for name, service in (("generate", self.generate), ("consume", self.consume)):
            service._environ["REDIS_URL"] = wires[name].url


@pytest.fixture(scope="module")
async def far(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Far]:
    """Behind wires that any test may break."""
    async with (
        Proxy(own_redis) as one,
        Proxy(own_redis) as other,
        Far(own_redis, leash, upstream.url, {"generate": one, "consume": other}) as running,
    ):
        yield running


@pytest.fixture
async def watched(far: Far, upstream: Upstream, session: str) -> AsyncIterator[Watched]:
    """An answer with a viewer who has seen its first words."""
    async with Watched(far, upstream, session) as running:
        running.watch()
        running.say(100)
        await running.shown()
        yield running
    for wire in far.wires.values():
        await wire.heal()


@pytest.mark.parametrize("direction", ["requests", "replies"])
@pytest.mark.parametrize("service", ["generate", "consume"])
async def test_a_wire_may_be_cut_at_any_byte(
    far: Far, own_client: Any, watched: Watched, service: str, direction: Direction
) -> None:
    wire = far.wires[service]
    for count in CUTS:
        wire.cut_after_bytes(count, direction)

        async def is_cut() -> bool:
            watched.say(3)
            return direction not in wire.left

        await until(is_cut, 10)
        await watched.shown()
    await watched.holds(own_client)
    assert [count for count in await attempts(own_client, watched.session) if count != "1"] == []


async def test_an_append_whose_reply_was_lost_is_in_the_log_once(far: Far, own_client: Any, watched: Watched) -> None:
    wire, lost = far.wires["generate"], 0
    while lost < 5:
        await at_rest(wire)
        wire.hold("replies")
        before = await own_client.xlen(keys.log(watched.session))
        watched.say(100)

        async def is_written(before: int = before) -> bool:
            return bool(await own_client.xlen(keys.log(watched.session)) > before)

        # Where it was the reply to what is sent again after the last break, the words wait for that: then once more.
        with contextlib.suppress(TimeoutError):
            await until(is_written, 2)
            lost += 1
        wire.drop("replies")
        await wire.heal()
        await watched.shown()
    await watched.holds(own_client)


async def test_a_read_whose_reply_was_lost_skips_nothing(far: Far, own_client: Any, watched: Watched) -> None:
    log = keys.log(watched.session)
    for _ in range(5):
        # The second of them, at the latest, comes by the connection for live reads, which then stands.
        for _ in range(3):
            watched.say(1)
            await watched.shown()
        await at_rest(far.wires["consume"])
        far.wires["consume"].hold("replies")
        (before,) = await own_client.xinfo_groups(log)
        watched.say(100)

        async def is_read(before: str = before["last-delivered-id"]) -> bool:
            (group,) = await own_client.xinfo_groups(log)
            return bool(group["last-delivered-id"] != before)

        await until(is_read, 10)
        assert watched.viewers[0].text != watched.sent
        far.wires["consume"].drop("replies")
        await far.wires["consume"].heal()
        await watched.shown()
    await watched.holds(own_client)


@pytest.mark.parametrize("direction", ["requests", "replies"])
async def test_a_start_on_a_wire_that_is_cut_begins_one_generation(
    far: Far, own_client: Any, upstream: Upstream, direction: Direction
) -> None:
    wire = far.wires["generate"]
    for count in CUTS[:20]:
        caller = Caller(far.generate, own_client, nanoid.generate())
        upstream.prompts[caller.session] = Script()
        wire.cut_after_bytes(count, direction)
        assert await caller.start(prompt=caller.session, provider="openai") == 1
        viewer = Viewer(far.consume.url, caller.session)
        await viewer.connect()
        await holds(own_client, caller.session, [viewer], "".join(Script().text))
        assert len(await caller.started()) == 1
    await wire.heal()


async def test_a_redis_that_answers_300_ms_late_delays_the_answer_and_nothing_else(
    far: Far, own_client: Any, watched: Watched
) -> None:
    for wire in far.wires.values():
        wire.delay_s = 0.15
    for _ in range(4):
        watched.say(400)
        began = time.monotonic()
        await watched.shown()
        assert time.monotonic() - began > 0.3
    await watched.holds(own_client)
    assert await attempts(own_client, watched.session) == ["1"]


async def test_words_do_not_wait_for_the_reply_of_a_redis_that_is_far(
    far: Far, own_client: Any, upstream: Upstream, session: str
) -> None:
    round_trip_s, seconds, pace_s = 0.3, 1.2, 0.03
    upstream.prompts[session] = Script(text=tuple("word " for _ in range(int(seconds / pace_s))), delay_s=pace_s)
    far.wires["generate"].delay_s = round_trip_s / 2
    await far.start(sessionId=session, prompt=session)
    viewer = Viewer(far.consume.url, session)
    await viewer.connect()
    await far.wires["generate"].heal()
    await holds(own_client, session, [viewer], "".join(upstream.prompts[session].text))
    chunks = int(viewer.view.answers[1].end["chunks"])
    assert chunks > 2 * (seconds / round_trip_s + 2), "as if each append had waited for the one before it"


@pytest.mark.parametrize(
    "fate",
    [
        pytest.param(lambda _: None, id="every one lost"),
        pytest.param(lambda number: None if number % 2 else 0.0, id="half of them lost"),
        pytest.param(lambda number: 0.3 * (number % 3), id="late"),
    ],
)
async def test_without_nudges_a_viewer_is_late_by_one_recheck_at_most(
    own_redis: str, own_client: Any, upstream: Upstream, leash: Leash, session: str, fate: Fate
) -> None:
    async with (
        NudgeProxy(own_redis, fate) as wire,
        Proxy(own_redis) as other,
        Far(own_redis, leash, upstream.url, {"generate": other, "consume": wire}) as far,
        Watched(far, upstream, session) as watched,
    ):
        watched.watch()
        watched.watch()
        for pieces in (1, 2, 300, 1):
            watched.say(pieces)
            await watched.shown(RECHECK_S + LITTLE_S)
        await watched.holds(own_client)
    assert wire.nudges >= 4


async def at_rest(wire: Proxy) -> None:
    """Wait for a moment in which nothing passes: a read that is under way already would read nothing more."""
    passed = [-1]

    async def nothing_passed() -> bool:
        passed.append(wire.bytes["replies"])
        return passed[-1] == passed[-2]

    await until(nothing_passed, 10, every_s=0.05)
