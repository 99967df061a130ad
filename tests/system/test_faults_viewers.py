"""Viewers that vanish, starve or sleep: each costs little and for a while, and nobody else notices."""

import asyncio
import contextlib
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest

from deploy.leash import Leash
from shared.view import View
from tests.consume_stream.facts import metric, viewers_are
from tests.consume_stream.raw_viewer import reset
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.processes import Service, Services, until
from tests.scraped import scraped
from tests.system.invariant import holds
from tests.system.starved import narrow, request, sipped
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

WORDS = tuple(f"wörd {number} 🌊\u2028 " for number in range(1200))
SENT = "".join(WORDS)
PIECES = tuple(f"{number} ".ljust(16_000, ".") for number in range(125))
"""Two million bytes, near the largest answer there may be."""

BRISK = {"REJOIN_LEASE_S": "1", "REJOIN_RECHECK_S": "0.5", "REJOIN_PING_S": "0.5", "REJOIN_SEND_TIMEOUT_S": "1"}
VANISHING = 300
STUCK = 20
MIB = 1024 * 1024
SPREAD_S = 1.0
DROPPED = "rejoin_viewers_dropped_total"
DEADLINE_S = 20.0


@pytest.fixture(scope="module")
async def brisk(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on a Redis of their own, where whoever takes nothing is dropped after a second."""
    async with Services(own_redis, leash, vendors=upstream.url, **BRISK) as running:
        yield running


async def test_three_hundred_viewers_that_vanish_at_any_moment_leave_nothing_behind(
    brisk: Services, upstream: Upstream, own_client: Any, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()), delay_s=0.001)
    drawn = random.Random(session)
    await brisk.start(sessionId=session, prompt=session)
    gate.let_out(100)
    # What a process keeps for good is there after the first fifty, its buffers, and after one who hears a live word,
    # its connections to Redis.
    await asyncio.gather(*(vanish(brisk.consume, session, drawn) for _ in range(50)))
    await heard_live(Viewer(brisk.consume.url, session), gate)
    await viewers_are(brisk.consume, 0)
    before, occupied = await held(brisk.consume, own_client), memory(brisk.consume).rss
    viewers = [Viewer(brisk.consume.url, session) for _ in range(4)]
    async with asyncio.TaskGroup() as all_of_them:
        for viewer in viewers:
            all_of_them.create_task(viewer.connect())
        for _ in range(VANISHING):
            all_of_them.create_task(vanish(brisk.consume, session, drawn))
        gate.let_out(len(WORDS))
    await viewers_are(brisk.consume, 0)
    await holds(own_client, session, viewers, SENT)

    more: Counter[str] = before

    async def is_back() -> bool:
        nonlocal more
        # The question of how many viewers there are may have been a connection still when it was counted before.
        more = await held(brisk.consume, own_client) - before
        return not more

    with contextlib.suppress(TimeoutError):
        await until(is_back, DEADLINE_S)
    assert not more
    assert memory(brisk.consume).rss - occupied < 16 * MIB
    assert "Traceback" not in brisk.consume.log


@pytest.mark.parametrize(
    ("pieces", "ends"),
    [
        pytest.param(PIECES, True, id="two megabytes"),
        pytest.param(PIECES, False, id="two megabytes that go on"),
        pytest.param(PIECES[:15], True, id="as much as leaves at once"),
    ],
)
async def test_viewers_that_never_read_are_dropped_and_hold_up_nobody(
    brisk: Services, upstream: Upstream, own_client: Any, session: str, pieces: tuple[str, ...], ends: bool
) -> None:
    upstream.prompts[session] = Script(text=pieces, gate=(gate := Gate()))
    await brisk.start(sessionId=session, prompt=session)
    gate.let_out(len(pieces) if ends else len(pieces) - 1)
    first = Viewer(brisk.consume.url, session)
    await first.connect(until=lambda _: len(first.text) >= len("".join(pieces[:-1])))
    await viewers_are(brisk.consume, 0)
    dropped, before = await metric(brisk.consume, DROPPED), memory(brisk.consume).rss
    with contextlib.ExitStack() as sockets:
        for _ in range(STUCK):
            sockets.enter_context(narrow(brisk.consume, request(session)))

        async def all_have_come() -> bool:
            # The first of them may be dropped before the last one has come.
            seen = await scraped(brisk.consume)
            return seen("rejoin_viewers") + seen(DROPPED) >= dropped + STUCK

        await until(all_have_come, DEADLINE_S)
        viewers = [Viewer(brisk.consume.url, session) for _ in range(3)]
        async with asyncio.TaskGroup() as beside:
            for viewer in viewers:
                beside.create_task(viewer.connect())
            most = 0

            async def all_dropped() -> bool:
                nonlocal most
                most = max(most, memory(brisk.consume).rss)
                return await metric(brisk.consume, DROPPED) == dropped + STUCK

            await until(all_dropped, DEADLINE_S)
            gate.let_out(len(pieces))
        await viewers_are(brisk.consume, 0)
    assert most - before < STUCK * MIB
    await holds(own_client, session, viewers, "".join(pieces))


async def test_a_viewer_that_takes_little_at_a_time_is_slow_and_not_dead(
    brisk: Services, upstream: Upstream, own_client: Any, session: str
) -> None:
    upstream.prompts[session] = Script(text=PIECES)
    await brisk.start(sessionId=session, prompt=session)
    viewer = Viewer(brisk.consume.url, session)
    await viewer.connect()
    dropped = await metric(brisk.consume, DROPPED)
    with narrow(brisk.consume, request(session)) as connection:
        async with asyncio.timeout(60):
            # One read brings more than this line takes within the send timeout: 1 KB/s to the usual 30 s.
            body = await sipped(connection, 200 * 1024)
    view = View()
    for at, data in re.findall(rb"^id: (.*)\ndata: (.*)$", body, re.MULTILINE):
        view.apply(at.decode(), json.loads(data))
    assert view.answers[1].text == "".join(PIECES)
    assert await metric(brisk.consume, DROPPED) == dropped
    await holds(own_client, session, [viewer], "".join(PIECES))


async def heard_live(viewer: Viewer, gate: Gate) -> None:
    """Replay the first hundred words, wait for the next one, and go."""
    connected = asyncio.create_task(viewer.connect(until=lambda _: WORDS[100] in viewer.text))

    async def has_replayed() -> bool:
        return WORDS[99] in viewer.text

    await until(has_replayed, DEADLINE_S)
    gate.let_out(1)
    await connected


async def vanish(service: Service, session: str, drawn: random.Random) -> None:
    """Connect, and be gone: before asking, in the middle of asking, before the head, or after some bytes of it all."""
    asked = request(session, drawn.choice(["answer", "session"]))
    said = drawn.choice([b"", asked[: drawn.randrange(len(asked))], asked, asked, asked])
    await asyncio.sleep(drawn.uniform(0, SPREAD_S))
    connection = narrow(service, said)
    if said == asked:
        loop, left = asyncio.get_running_loop(), drawn.choice([0, 1, drawn.randrange(3000)])
        with contextlib.suppress(TimeoutError):
            # Following a session that stands still, it may have got all that there is.
            async with asyncio.timeout(SPREAD_S):
                while left > 0 and (part := await loop.sock_recv(connection, left)):
                    left -= len(part)
    if drawn.random() < 0.5:
        reset(connection)
    else:
        connection.close()


def memory(service: Service) -> Any:
    """What a process occupies."""
    assert service.process
    return psutil.Process(service.process.pid).memory_info()


async def held(service: Service, redis_client: Any) -> Counter[str]:
    """What a process has open, of each kind, and who is connected to Redis."""
    assert service.process
    process = psutil.Process(service.process.pid)
    return Counter(
        [
            *("file" for _ in range(process.num_fds())),
            *(f"connection, {connection.status}" for connection in process.net_connections("tcp")),
            *(f"client of Redis, {client['name']}" for client in await redis_client.client_list()),
        ]
    )
