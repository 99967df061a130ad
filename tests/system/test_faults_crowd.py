"""A thousand viewers that vanish, others that never read or hardly: nobody else's words come later for it."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import nanoid
import psutil
import pytest

from deploy.leash import Leash
from tests.consume_stream.facts import metric, no_groups, viewers_are
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import Service, until
from tests.system.crowd import served, slow, stuck, vanish
from tests.system.crowd_lag import Listener, lag, lag_of_the_next, speaking
from tests.system.own_process import CONSUME, process

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

VANISHING = 1000
STUCK = 20
SLOW = 10
EACH = 4
"""Viewers of each of two logs who take what comes."""

PIECES = tuple(f"{number} ".ljust(16_000, ".") for number in range(125))
"""Two million bytes, near the largest answer there may be: far more than all the buffers on the way take."""

CALM_WORDS = 60
SEND_TIMEOUT_S = 3.0
MEDIAN_S, P99_S = 0.03, SEND_TIMEOUT_S / 2
"""What a busy machine may add beside a crowd. Whoever waited for one of the crowd would wait for a send timeout."""

MIB = 2**20
DROPPED = "rejoin_viewers_dropped_total"
DEADLINE_S = 30.0


@pytest.fixture
async def consume(redis_url: str, leash: Leash) -> AsyncIterator[Service]:
    """A process that soon drops whoever takes nothing."""
    async with process(CONSUME, leash, REDIS_URL=redis_url, REJOIN_SEND_TIMEOUT_S=str(SEND_TIMEOUT_S)) as service:
        yield service


async def test_a_crowd_that_misbehaves_makes_no_word_late_and_leaves_nothing_behind(
    consume: Service, redis_client: Any, session: str
) -> None:
    drawn = random.Random(session)
    writers = [OutsideWriter(redis_client, each) for each in (session, str(nanoid.generate()))]
    for writer in writers:
        await writer.begin()
    await writers[0].say(*PIECES)
    listeners = [Listener(consume.url, writer.session) for writer in writers for _ in range(EACH)]
    async with asyncio.TaskGroup() as listening, AsyncExitStack() as speakers:
        for listener in listeners:
            listening.create_task(listener.listens())
        for writer in writers:
            await speakers.enter_async_context(speaking(writer))
        before = await lag_of_the_next(CALM_WORDS, listeners)
        began, occupied = time.monotonic(), []
        for _ in range(2):
            await misbehaves(consume, session, drawn)
            await viewers_are(consume, len(listeners))
            occupied.append(memory(consume))
        during = lag(listeners, began)
        after = await lag_of_the_next(CALM_WORDS, listeners)
    # The second thousand finds all the room that the first one took.
    assert occupied[1] - occupied[0] < 16 * MIB
    for writer, own, others in (writers[0], listeners[:EACH], len(PIECES)), (writers[1], listeners[EACH:], 0):
        told = len(writer.ids) - len(("started", "completed")) - others
        assert [len(listener.heard) for listener in own] == [told] * EACH
        await no_groups(redis_client, writer.session)
    assert during.median < max(before.median, after.median) + MEDIAN_S
    assert during.p99 < max(before.p99, after.p99) + P99_S
    assert "Traceback" not in consume.log


async def misbehaves(consume: Service, session: str, drawn: random.Random) -> None:
    """A crowd comes and goes. It is over when those that take nothing have been dropped."""
    dropped = await metric(consume, DROPPED)
    async with stuck(consume, session, STUCK) as dead, slow(consume, session, SLOW):
        await vanish(consume, session, VANISHING, drawn)

        async def are_dropped() -> bool:
            # Those that take little may be taken for dead, but they are fewer.
            return await metric(consume, DROPPED) - dropped >= STUCK and not served(consume, dead)

        await until(are_dropped, DEADLINE_S)


def memory(service: Service) -> int:
    """What a process occupies."""
    assert service.process
    return int(psutil.Process(service.process.pid).memory_info().rss)
