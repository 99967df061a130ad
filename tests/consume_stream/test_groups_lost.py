"""Groups that were destroyed in a second that Redis then loses: it has them again, and they are destroyed again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries
from services.consume_stream.groups import Groups
from shared import keys
from shared.access.identity import Right
from shared.instance import new_instance
from shared.position import NONE
from tests.connections import wires
from tests.consume_stream.facts import groups, number_of_groups
from tests.consume_stream.outside_writer import OutsideWriter
from tests.proxy import Proxy
from tests.system.redis_crash import RedisCrash

pytestmark = pytest.mark.anyio

TIMEOUT_S = 5.0


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
async def client(crash: RedisCrash) -> AsyncIterator[Any]:
    """What is in it."""
    async with redis.asyncio.Redis.from_url(crash.url, protocol=2, decode_responses=True) as own:
        yield own


@pytest.fixture
async def way(crash: RedisCrash) -> AsyncIterator[Proxy]:
    """The way of the groups to it; a test looks past it at what Redis has before they hear of it."""
    async with Proxy(crash.url) as standing:
        yield standing


@pytest.fixture
async def own(way: Proxy) -> AsyncIterator[Groups]:
    """The groups of a process."""
    through = wires(way.url, user="consume")
    made = Groups(through, new_instance())
    yield made
    for each in (made, through):
        await each.close()


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "reply lost"])
async def test_a_group_that_redis_has_again_is_destroyed_again(
    crash: RedisCrash, client: Any, way: Proxy, own: Groups, session: str, confirmed: bool
) -> None:
    await OutsideWriter(client, session).begin()
    left, stays = own.new(), own.new()
    for group in (left, stays):
        await own.make(session, group, NONE, Right())
    if not confirmed:
        way.hold("replies")
    own.destroy(session, left)
    await number_of_groups(client, session, 1)
    await way.refuse()
    await crash.kill()
    assert crash.lose_from(b"XGROUP", b"DESTROY", keys.log(session).encode(), left.encode())
    await crash.start()
    assert set(await groups(client, session)) == {left, stays}
    await way.heal()
    await number_of_groups(client, session, 1)
    assert await groups(client, session) == [stays]
