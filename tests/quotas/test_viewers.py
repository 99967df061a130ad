"""Viewers of one session over two processes of consume-stream: so many, and their seats come back whatever happens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from services.consume_stream import seats
from services.consume_stream.seats import Limits, Seats
from shared import keys
from shared.http import ApiError
from shared.wires import Wires
from tests.consume_stream.raw_viewer import Raw, raw
from tests.processes import Service, until
from tests.quotas.stock import Stock, now_ms
from tests.system.own_process import CONSUME

pytestmark = pytest.mark.anyio

MOST = 3
ROUNDS = 12
HELD_S = 60.0
REFUSED = (429, True, {"Retry-After": "1"})

Both = tuple[Service, Service]


@pytest.fixture(scope="module")
async def both(url: str, leash: Leash, anyio_backend: str) -> AsyncIterator[Both]:
    """Two processes."""
    settings = {"REDIS_URL": url, "REJOIN_VIEWERS_PER_SESSION_MAX": str(MOST)}
    one, other = (Service(CONSUME, leash, settings) for _ in range(2))
    await asyncio.gather(one.start(), other.start())
    yield one, other
    await asyncio.gather(one.kill(), other.kill())


@pytest.fixture
def watched(client: Any, session: str) -> Stock:
    """The seats of the test's own session."""
    return Stock(client, keys.subject("session", session))


@contextlib.asynccontextmanager
async def watching(session: str, *services: Service) -> AsyncIterator[list[Raw]]:
    """One who would be a viewer at each of these, all in one moment; they leave at the end."""
    query = {"sessionId": session, "follow": "session"}
    async with contextlib.AsyncExitStack() as stack:
        yield await asyncio.gather(*(stack.enter_async_context(raw(service, query)) for service in services))


def statuses(viewers: list[Raw]) -> list[int]:
    return sorted(viewer.response.status_code for viewer in viewers)


async def test_of_many_who_race_for_the_last_seats_exactly_so_many_win(
    both: Both, watched: Stock, session: str
) -> None:
    for _ in range(ROUNDS):
        async with watching(session, *both * MOST) as viewers:
            assert statuses(viewers) == [200] * MOST + [429] * MOST
            for viewer in viewers:
                if viewer.response.status_code == 429:
                    assert b'"too_many_viewers_of_session"' in await viewer.rest()
                    assert viewer.response.headers["retry-after"] == "1"
            assert len(await watched.scores("viewers")) == MOST
        await watched.are("viewers", 0)


async def test_seats_of_a_killed_process_are_over_within_a_minute(
    both: Both, watched: Stock, client: Any, session: str
) -> None:
    one, other = both
    async with watching(session, *(one,) * MOST) as viewers:
        assert statuses(viewers) == [200] * MOST
        await one.kill()
    await one.start()
    latest = max((await watched.scores("viewers")).values())
    assert latest <= await now_ms(client) + HELD_S * 1000
    async with watching(session, other) as viewers:
        assert statuses(viewers) == [429]
    # Nobody renews them.
    await watched.pass_by("viewers", HELD_S)
    async with watching(session, one, other) as viewers:
        assert statuses(viewers) == [200, 200]
    await watched.are("viewers", 0)


async def test_a_drained_process_leaves_its_seats_at_once(both: Both, watched: Stock, session: str) -> None:
    one, _ = both
    async with watching(session, one, one) as viewers:
        assert statuses(viewers) == [200, 200]
        assert await one.stop() == 0
        assert await watched.scores("viewers") == {}
    await one.start()


async def test_at_maxmemory_viewers_come_and_go_and_are_counted(
    both: Both, watched: Stock, client: Any, session: str
) -> None:
    await client.config_set("maxmemory", 1)
    try:
        async with watching(session, *both * MOST) as viewers:
            assert statuses(viewers) == [200] * MOST + [429] * MOST
        await watched.are("viewers", 0)
    finally:
        await client.config_set("maxmemory", 0)


@pytest.fixture
async def rooms(replicas: tuple[Wires, Wires]) -> AsyncIterator[list[Seats]]:
    """The seats of two processes, where an owner has limits too."""
    made = [Seats(each, f"process{number}", Limits(session=2, owner=3)) for number, each in enumerate(replicas)]
    yield made
    for each in made:
        await each.close()


async def is_seated(stack: contextlib.AsyncExitStack, room: Seats, session: str, owner: str) -> bool:
    try:
        async with contextlib.AsyncExitStack() as asking:
            seat = asking.enter_context(room.seat(session, owner))
            await seat.taken()
            stack.push_async_exit(asking.pop_all())
    except ApiError as refusal:
        return (refusal.status, refusal.code.startswith("too_many_viewers_of_"), refusal.headers) != REFUSED
    return True


async def test_an_owner_is_so_many_viewers_in_all_sessions_and_each_session_has_so_many(
    rooms: list[Seats], somebody: Stock, watched: Stock, session: str
) -> None:
    for _ in range(ROUNDS):
        async with contextlib.AsyncExitStack() as stack:
            sessions = [session, f"{session}-a", f"{session}-b"]
            asking = [is_seated(stack, rooms[each % 2], sessions[each % 3], session) for each in range(12)]
            assert sum(await asyncio.gather(*asking)) == 3
            assert len(await somebody.scores("viewers")) == 3
            await somebody.are("viewers", 3)
        await somebody.are("viewers", 0)
        await watched.are("viewers", 0)


async def test_seats_are_renewed_until_they_are_left(
    monkeypatch: pytest.MonkeyPatch, replicas: tuple[Wires, Wires], watched: Stock, client: Any, session: str
) -> None:
    monkeypatch.setattr(seats, "_RENEWED_EVERY_S", 0.2)
    room = Seats(replicas[0], "process", Limits(session=5, owner=0))
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            await stack.enter_context(room.seat(session, "")).taken()
        # Of these Redis knows nothing any more.
        await watched.clear()
        await watched.are("viewers", 3)
        first = await watched.scores("viewers")

        async def renewed() -> bool:
            return all(till > first[member] for member, till in (await watched.scores("viewers")).items())

        await until(renewed, 5)
        assert min((await watched.scores("viewers")).values()) > await now_ms(client) + 50_000
    await watched.are("viewers", 0)
    await room.close()


async def test_a_seat_is_left_once_redis_is_back(
    rooms: list[Seats], replicas: tuple[Wires, Wires], watched: Stock, client: Any, session: str
) -> None:
    with rooms[0].seat(session, "") as seat:
        await seat.taken()
        await client.client_kill_filter(_type="normal", skipme=True)
        await replicas[0].broken()
    await watched.are("viewers", 0)


async def test_without_limits_nothing_is_asked_of_redis(
    replicas: tuple[Wires, Wires], somebody: Stock, watched: Stock, session: str
) -> None:
    room = Seats(replicas[0], "process", Limits(session=0, owner=0))
    with room.seat(session, session) as seat:
        await seat.taken()
        assert await somebody.scores("viewers") == await watched.scores("viewers") == {}
    await room.close()
