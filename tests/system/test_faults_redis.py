"""Redis is killed in the middle of an answer, and comes back with all or most of it: nothing is lost or doubled."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries
from shared import keys
from tests.fakes.upstream import Upstream
from tests.processes import Services, until, vendor_settings
from tests.system.attempts import attempts, never_claimed
from tests.system.own_process import GENERATE, process
from tests.system.pair import LEASE_S, SHORT
from tests.system.redis_crash import RedisCrash, writes
from tests.system.watched import Watched
from tests.viewing import Refused, Viewer

pytestmark = pytest.mark.anyio


def _name(binary: Binary) -> str:
    return f"{binary.kind}-{binary.version}".lower()


@pytest.fixture(scope="module", params=binaries(), ids=_name)
async def crash(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, leash: Leash, anyio_backend: str
) -> AsyncIterator[RedisCrash]:
    """A Redis of each version to be broken."""
    async with RedisCrash(request.param, tmp_path_factory.mktemp("crash"), leash) as running:
        yield running


@pytest.fixture(scope="module")
async def house(crash: RedisCrash, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on it."""
    async with Services(crash.url, leash, vendors=upstream.url, **SHORT) as running:
        yield running


@pytest.fixture(scope="module")
async def client(crash: RedisCrash) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(crash.url, protocol=2, decode_responses=True) as own:
        yield own


@pytest.fixture
async def watched(watched: Watched, house: Services) -> AsyncIterator[Watched]:
    """A second viewer has come since."""
    watched.watch()
    await watched.shown()
    yield watched
    assert house.generate.process
    if house.generate.process.poll() is not None:
        await house.generate.start()


async def test_a_killed_redis_comes_back_and_every_viewer_reads_on_where_it_was(
    crash: RedisCrash, client: Any, watched: Watched
) -> None:
    await crash.kill()
    watched.say(700)
    await crash.start()
    await watched.shown()
    watched.say(300)
    await watched.shown()
    await watched.holds(client)
    await never_claimed(client, watched.session)


@pytest.mark.parametrize("lost_part", ["the last second", "the groups", "started"])
async def test_what_a_killed_redis_has_lost_of_an_answer_is_written_again(
    crash: RedisCrash, client: Any, watched: Watched, lost_part: str
) -> None:
    mark = crash.mark()
    watched.say(500)
    await watched.shown()
    await crash.kill()
    watched.say(200)
    log = keys.log(watched.session).encode()
    match lost_part:
        case "started":
            assert writes(crash.lose_from(b"XADD", log, b"started"), b"started")
        case "the groups":
            assert writes(crash.lose_from(b"XGROUP", b"CREATE", log), b"CREATE")
        case _:
            assert writes(crash.lose_after(mark), b"XADD")
    await crash.start()
    await watched.shown()
    await watched.holds(client)
    await never_claimed(client, watched.session)
    assert all(frame.event["type"] != "reset" for viewer in watched.viewers for frame in viewer.frames)


async def test_an_end_that_a_killed_redis_has_lost_is_written_again(
    crash: RedisCrash, client: Any, watched: Watched
) -> None:
    await watched.ended()
    await crash.kill()
    lost = crash.lose_from(b"XADD", keys.log(watched.session).encode(), b"completed")
    assert writes(lost, b"completed")
    await crash.start()
    # One joins while the end is lost, and another comes back that had seen it.
    watched.watch()
    assert await comes_back(watched.viewers[0]) in (200, 204)
    await watched.holds(client)
    await never_claimed(client, watched.session)


async def test_a_producer_that_dies_while_redis_is_down_is_taken_over_on_what_redis_still_has(
    crash: RedisCrash, house: Services, upstream: Upstream, client: Any, leash: Leash, watched: Watched
) -> None:
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": crash.url}
    async with process(GENERATE, leash, **environ):
        mark = crash.mark()
        watched.say(500)
        await watched.shown()
        await crash.kill()
        await house.generate.kill()
        assert writes(crash.lose_after(mark), b"XADD")
        watched.say(10 * len(watched.pieces))
        await crash.start()
        await watched.holds(client)
        assert await attempts(client, watched.session) == ["1", "2"]


async def test_a_takeover_that_a_killed_redis_has_lost_is_written_again(
    crash: RedisCrash, house: Services, upstream: Upstream, client: Any, leash: Leash, watched: Watched
) -> None:
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": crash.url}
    async with process(GENERATE, leash, **environ):
        await house.generate.kill()

        async def is_taken() -> bool:
            return await attempts(client, watched.session) == ["1", "2"]

        await until(is_taken, LEASE_S + 10)
        # What the first request did not take of the gate is the second one's.
        watched.say(600)
        await crash.kill()
        log = keys.log(watched.session).encode()
        assert writes(crash.lose_from(b"XADD", log, b"started", b"2"), b"started")
        watched.say(10 * len(watched.pieces))
        await crash.start()
        await watched.holds(client)
        assert await is_taken()


async def comes_back(viewer: Viewer) -> int:
    """Connect where the end was seen; returns the status that it gets, 204 if the log has its end again by then."""
    try:
        await viewer.connect()
    except Refused as refused:
        return refused.response.status_code
    return 200
