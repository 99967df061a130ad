"""What the tests run against: a real Redis of each version at hand, the services as processes, a scripted upstream."""

import contextlib
import functools
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import nanoid
import pytest
import redis.asyncio
from hypothesis import settings

from deploy import redis_server
from deploy.leash import Leash
from deploy.page import build
from deploy.redis_binary import Binary
from tests import redis_users
from tests.fakes import upstream as fake
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.redis_cluster import RedisCluster
from tests.workers import ByModule, put_in_order

pytest.register_assert_rewrite(
    "tests.system.invariant", "tests.client.reader", "tests.web.reader", "tests.web.chatting"
)

# How long an example takes is no claim: where others keep the machine busy, everything takes its time.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    """With `-n`: who runs what."""
    return ByModule(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In which order."""
    put_in_order(items)


@functools.cache
def _redis_params() -> list[Any]:
    """REDIS_URL, else each server of this machine, else a container."""
    if redis_users.GIVEN:
        return [pytest.param(redis_users.GIVEN, id="given-redis")]
    found = redis_server.binaries()
    return [pytest.param(binary, id=f"{binary.kind}-{binary.version}".lower()) for binary in found] or [
        pytest.param(None, id="redis-container")
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Against each Redis, or against the first alone where a test claims nothing that Redis has a part in."""
    if "redis_url" in metafunc.fixturenames:
        servers = _redis_params()
        one = metafunc.definition.get_closest_marker("any_redis")
        metafunc.parametrize("redis_url", servers[:1] if one else servers, indirect=True, scope="session")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole session, so that the fakes live in the tests' own loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def leash() -> Iterator[Leash]:
    """What ends every process that a test starts, even when the tests are killed."""
    with contextlib.closing(Leash()) as held:
        yield held


@pytest.fixture(scope="session")
def page() -> None:
    """The page, built once: the origin serves it."""
    build()


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis. Nothing is flushed: every test has sessions of its own. At the end, it has refused no service."""
    source = request.param
    if isinstance(source, str):
        yield source
    elif isinstance(source, Binary):
        users = redis_users.arguments(source)
        with redis_server.start(source, Path(tmp_path_factory.mktemp("redis")), *users) as server:
            yield server.url
            assert redis_users.refusals(server.url) == []
    else:
        from testcontainers.community.redis import RedisContainer

        made = RedisContainer("redis:7").with_volume_mapping(redis_users.file("7").name, "/users.acl")
        with made.with_command("redis-server --protected-mode no --aclfile /users.acl") as container:
            yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"


@pytest.fixture(scope="session")
async def redis_client(redis_url: str) -> AsyncIterator["redis.asyncio.Redis"]:
    """The library's own client, to look at what is in Redis and to write as another program would."""
    async with redis.asyncio.Redis.from_url(redis_url, protocol=2, decode_responses=True) as client:
        yield client


@pytest.fixture(scope="module", params=redis_server.binaries(), ids=lambda one: f"{one.kind}-{one.version}".lower())
async def cluster(request: pytest.FixtureRequest, leash: Leash, anyio_backend: str) -> AsyncIterator[RedisCluster]:
    """A Redis Cluster of each version, to be broken."""
    async with RedisCluster(request.param, leash) as running:
        yield running


@pytest.fixture(scope="session")
async def upstream(anyio_backend: str) -> AsyncIterator[Upstream]:
    """The scripted vendor: `upstream.prompts[prompt] = Script(…)` decides one answer."""
    async with fake.running() as running:
        yield running


@pytest.fixture(scope="session")
async def services(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """One process of each service, with every provider, against the fake vendor."""
    async with Services(redis_url, leash, vendors=upstream.url) as running:
        yield running


@pytest.fixture
def session() -> str:
    """A session id that nothing has used before."""
    return str(nanoid.generate())


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end: no collection of garbage shall go through all of it again and again."""
    gc.collect()
    gc.freeze()
