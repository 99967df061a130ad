"""Redis is at its maxmemory: what runs ends, who reads goes on and may come, and only new answers are refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from deploy import redis_server
from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries
from shared import keys
from tests import redis_users
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.processes import Services, until, vendor_settings
from tests.system.own_process import CONSUME, GENERATE, process
from tests.system.pair import SHORT
from tests.system.watched import Watched
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

BEAT_S = 15
"""How often a consume process shows that it lives."""


def _name(binary: Binary) -> str:
    return f"{binary.kind}-{binary.version}".lower()


@pytest.fixture(scope="module", params=binaries(), ids=_name)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, leash: Leash) -> Any:
    """A Redis of each version to be filled: they refuse different commands."""
    users = redis_users.arguments(request.param)
    with redis_server.start(request.param, tmp_path_factory.mktemp("full"), *users, leash=leash) as server:
        yield server.url


@pytest.fixture(scope="module")
async def house(url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services on it."""
    async with Services(url, leash, vendors=upstream.url, **SHORT) as running:
        yield running


@pytest.fixture(scope="module")
async def client(url: str, anyio_backend: str) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(url, protocol=2, decode_responses=True) as own:
        yield own


@pytest.fixture
async def watched(house: Services, upstream: Upstream, client: Any, session: str) -> AsyncIterator[Watched]:
    """An answer with a viewer who has seen its first words; then Redis is full. Afterwards it has room again."""
    async with Watched(house, upstream, session) as running:
        running.watch()
        running.say(300)
        await running.shown()
        await client.config_set("maxmemory", 1)
        yield running
    await client.config_set("maxmemory", 0)
    assert house.generate.process
    if house.generate.process.poll() is not None:
        await house.generate.start()


async def test_a_running_answer_ends_and_viewers_read_on_and_may_come(client: Any, watched: Watched) -> None:
    watched.say(700)
    await watched.shown()
    watched.watch()
    await watched.shown()
    await watched.holds(client)


async def test_a_new_answer_is_refused_until_there_is_room(
    house: Services, client: Any, upstream: Upstream, watched: Watched, session: str
) -> None:
    other = f"{session}-other"
    refused = await Caller(house.generate, client, other).ask(prompt=other)
    assert told(refused) == (503, "storage_full")
    assert refused.headers["retry-after"]
    assert await client.exists(keys.log(other), keys.meta(other)) == 0
    assert await client.zscore(keys.RUNNING, other) is None
    await watched.holds(client)
    await client.config_set("maxmemory", 0)
    async with Watched(house, upstream, other) as later:
        await later.holds(client)


async def test_a_consume_process_that_starts_on_a_full_redis_serves_viewers(
    url: str, client: Any, leash: Leash, watched: Watched
) -> None:
    async with process(CONSUME, leash, **SHORT, REDIS_URL=url) as fresh:
        viewer = Viewer(fresh.url, watched.session)
        await viewer.connect(until=lambda _: viewer.text == watched.sent)
        groups = await client.xinfo_groups(keys.log(watched.session))
        instances = {str(keys.instance_of(group["name"])) for group in groups}
        assert all([await client.exists(keys.consumer(instance)) for instance in instances])
        assert await fresh.stop() == 0
    await watched.holds(client)


async def test_a_lost_producer_is_replaced_on_a_full_redis(
    url: str, house: Services, client: Any, upstream: Upstream, leash: Leash, watched: Watched
) -> None:
    async with process(GENERATE, leash, **SHORT, **vendor_settings(upstream.url), REDIS_URL=url):
        await house.generate.kill()
        watched.say(10 * len(watched.pieces))
        await watched.holds(client)
    assert await client.hget(keys.meta(watched.session), "attempt") == "2"


# It takes as long as a beat, and no version refuses it.
@pytest.mark.parametrize("url", binaries()[:1], ids=_name, indirect=True)
async def test_a_consume_process_goes_on_showing_that_it_lives(client: Any, watched: Watched) -> None:
    (group,) = await client.xinfo_groups(keys.log(watched.session))
    key = keys.consumer(str(keys.instance_of(group["name"])))
    await client.expire(key, BEAT_S + 5)

    async def is_renewed() -> bool:
        return bool(await client.ttl(key) > BEAT_S + 5)

    await until(is_renewed, BEAT_S + 4)
    await watched.holds(client)
