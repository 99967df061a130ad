"""A consume process ends or is killed: its viewers go on elsewhere, and nothing of it stays behind."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from tests.consume_stream.facts import groups
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.processes import Service, Services, until
from tests.system.invariant import holds
from tests.system.own_process import CONSUME, process
from tests.system.roaming import Roamer
from tests.viewing import Frame, Viewer

pytestmark = pytest.mark.anyio

WORDS = tuple(f"wörd {number} 🌊\u2028 " for number in range(600))
SENT = "".join(WORDS)
HALF = len(WORDS) // 2
STEP = 150
BRISK = {"REJOIN_LEASE_S": "1", "REJOIN_RECHECK_S": "0.5", "REJOIN_PING_S": "0.5"}
DEADLINE_S = 20.0


@asynccontextmanager
async def two(redis_url: str, leash: Leash) -> AsyncIterator[list[Service]]:
    """Two processes of consume-stream."""
    async with AsyncExitStack() as stack:
        entering = (process(CONSUME, leash, REDIS_URL=redis_url, **BRISK) for _ in range(2))
        yield [await stack.enter_async_context(each) for each in entering]


async def test_viewers_of_a_process_that_is_told_to_end_are_cut_and_read_on_at_another(
    services: Services, upstream: Upstream, redis_url: str, redis_client: Any, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    async with two(redis_url, leash) as (first, second):
        viewers = [Roamer([first, second], session, follow) for follow in ("answer", "session") * 12]
        await services.start(sessionId=session, prompt=session)
        async with asyncio.TaskGroup() as watching:
            for viewer in viewers:
                watching.create_task(viewer.roam(is_end))
            gate.let_out(HALF)
            await all_have(viewers, "".join(WORDS[:HALF]))
            [of_first] = {keys.instance_of(name) for name in await groups(redis_client, session)}
            began = time.monotonic()
            assert await first.stop() == 0
            assert time.monotonic() - began < 3
            left = {keys.instance_of(name) for name in await groups(redis_client, session)}
            assert of_first not in left
            assert not await redis_client.exists(keys.consumer(str(of_first)))
            # The answer has not ended, so nobody was told that it had.
            assert not any(is_end(frame) for viewer in viewers for frame in viewer.frames)
            gate.let_out(len(WORDS))
        assert [viewer.cuts for viewer in viewers] == [1] * len(viewers)
        retries = [viewer.frames[0].retry or 0 for viewer in viewers]
        assert all(500 <= retry <= 2500 for retry in retries)
        # Spread over two seconds; that 24 fall into one half of one is less likely than 1 in 10^13.
        assert max(retries) - min(retries) > 500
        await holds(redis_client, session, viewers, SENT)
    assert "Traceback" not in first.log + second.log


async def test_viewers_of_a_killed_process_read_on_at_another_which_leaves_its_groups_while_it_may_live(
    services: Services, upstream: Upstream, redis_url: str, redis_client: Any, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    third_one = process(CONSUME, leash, REDIS_URL=redis_url, **BRISK)
    async with two(redis_url, leash) as (first, second), third_one as third:
        viewers = [Roamer([first, second], session) for _ in range(8)]
        stay = Roamer([first, second], session, "session")
        await services.start(sessionId=session, prompt=session)
        async with asyncio.TaskGroup() as watching:
            for viewer in (*viewers, stay):
                watching.create_task(viewer.roam(is_end))
            gate.let_out(HALF)
            await all_have(viewers, "".join(WORDS[:HALF]))
            dead = set(await groups(redis_client, session))
            assert len(dead) == len(viewers) + 1
            await first.kill()
            gate.let_out(100)
            await all_have([*viewers, stay], "".join(WORDS[: HALF + 100]))
            # The second process has looked for the dead by now; the first one's key says that it may live.
            living = set(await groups(redis_client, session)) - dead
            assert dead <= set(await groups(redis_client, session))
            assert len(living) == len(viewers) + 1
            await a_minute_later(redis_client, dead)
            late = Roamer([third], session)
            watching.create_task(late.roam())
            await are_gone(redis_client, session, dead)
            assert living <= set(await groups(redis_client, session))
            gate.let_out(len(WORDS))
        assert [viewer.cuts for viewer in viewers] == [1] * len(viewers)
        await holds(redis_client, session, [*viewers, stay, late], SENT)


@pytest.mark.parametrize("seed", [3, 14])
async def test_an_answer_is_read_whole_though_one_process_after_the_other_is_killed_under_its_viewers(
    services: Services, upstream: Upstream, redis_url: str, redis_client: Any, leash: Leash, session: str, seed: int
) -> None:
    drawn = random.Random(seed)
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()), delay_s=0.001)
    async with two(redis_url, leash) as both:
        viewers = [Roamer(both[::turn], session) for turn in (1, -1) for _ in range(5)]
        await services.start(sessionId=session, prompt=session)
        async with asyncio.TaskGroup() as watching:
            for viewer in viewers:
                watching.create_task(viewer.roam())
            for out in range(STEP, 3 * STEP + 1, STEP):
                gate.let_out(STEP)
                words, watched, doomed = out - drawn.randrange(STEP), drawn.choice(viewers), drawn.choice(both)
                await all_have([watched], "".join(WORDS[:words]))
                await doomed.kill()
                await doomed.start()
            gate.let_out(len(WORDS))
        assert sum(viewer.cuts for viewer in viewers) >= 3
        await a_minute_later(redis_client, set(await groups(redis_client, session)))
        async with process(CONSUME, leash, REDIS_URL=redis_url, **BRISK) as sweeper:
            viewers.append(after := Roamer([sweeper], session))
            await after.roam()
            await holds(redis_client, session, viewers, SENT)


def is_end(frame: Frame) -> bool:
    """Whether the answer has ended."""
    return frame.event.get("status") == "completed"


async def all_have(viewers: Sequence[Viewer], text: str) -> None:
    """Wait until viewers have at least this much."""

    async def had() -> bool:
        return all(len(viewer.text) >= len(text) for viewer in viewers)

    await until(had, DEADLINE_S)


async def a_minute_later(redis_client: Any, dead: set[str]) -> None:
    """The keys by which the processes that had these groups said that they live are over."""
    instances = {keys.instance_of(name) for name in dead}
    for instance in instances:
        await redis_client.delete(keys.consumer(str(instance)))


async def are_gone(redis_client: Any, session: str, names: set[str]) -> None:
    """Wait until none of these groups is left."""

    async def gone() -> bool:
        return not names & set(await groups(redis_client, session))

    await until(gone, DEADLINE_S)
