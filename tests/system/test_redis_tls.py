"""Redis behind TLS, for real: alone, as a cluster and under Sentinels, and with certificates that do not fit."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries
from tests import redis_users
from tests.certificates import Certificates
from tests.processes import Service, Services, until
from tests.redis_cluster import RedisCluster
from tests.redis_nodes import Node, ssl_options
from tests.redis_sentinel import RedisSentinel
from tests.system.own_process import CONSUME, GENERATE
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

SAID_S = 20.0


def speaks_tls(binary: Binary) -> bool:
    """Whether a server was built with it: the embedded one was not, and knows no such option."""
    said = subprocess.run([binary.path, "--tls-port", "no number"], capture_output=True, text=True, check=False)
    return "Bad directive" not in said.stdout + said.stderr


SERVERS: list[Any] = [each for each in binaries() if speaks_tls(each)] or [
    pytest.param(None, marks=pytest.mark.skip("no redis-server on this machine speaks TLS"))
]


@pytest.fixture(scope="module", params=SERVERS, ids=lambda one: f"{one.kind}-{one.version}".lower() if one else "none")
def binary(request: pytest.FixtureRequest) -> Binary:
    found: Binary = request.param
    return found


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
async def alone(binary: Binary, certificates: Certificates, leash: Leash) -> AsyncIterator[Node]:
    """One server, which asks for a client's certificate."""
    node = Node(binary, leash, redis_users.arguments(binary), certificates)
    await node.start()
    yield node
    await node.kill()


async def test_an_answer_goes_through_one_redis(
    alone: Node, certificates: Certificates, leash: Leash, session: str
) -> None:
    await answered(f"rediss://{alone.address}/0", certificates, leash, session)


async def test_an_answer_goes_through_a_cluster(
    binary: Binary, certificates: Certificates, leash: Leash, session: str
) -> None:
    async with RedisCluster(binary, leash, certificates) as cluster:
        await answered(cluster.url.replace("redis+", "rediss+"), certificates, leash, session)


async def test_an_answer_goes_through_what_sentinels_watch(
    binary: Binary, certificates: Certificates, leash: Leash, session: str
) -> None:
    async with RedisSentinel(binary, leash, certificates) as guarded:
        await answered(guarded.url.replace("redis+", "rediss+"), certificates, leash, session)


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
async def test_an_authority_that_did_not_sign_it_is_said_and_nothing_is_sent(
    alone: Node, certificates: Certificates, tmp_path: Any, leash: Leash, module: str
) -> None:
    others = Certificates(tmp_path)
    options = ssl_options(certificates) | {"ssl_ca_certs": others.path("ca.crt")}
    assert "certificate verify failed" in await cause(module, f"rediss://{alone.address}?{urlencode(options)}", leash)


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
async def test_without_the_certificate_that_it_asks_for_nobody_comes_in(
    alone: Node, certificates: Certificates, leash: Leash, module: str
) -> None:
    options = {"ssl_ca_certs": certificates.path("ca.crt")}
    said = await cause(module, f"rediss://{alone.address}?{urlencode(options)}", leash)
    assert "certificate required" in said, said


async def answered(url: str, certificates: Certificates, leash: Leash, session: str) -> None:
    """The demo answers there, and a viewer reads along to the end."""
    async with Services(f"{url}?{urlencode(ssl_options(certificates))}", leash) as services:
        await services.start(sessionId=session, prompt="Hello?", provider="demo")
        viewer = Viewer(services.consume.url, session)
        await viewer.connect()
    [answer] = viewer.view.answers.values()
    assert (answer.status, bool(answer.text)) == ("completed", True)


async def cause(module: str, url: str, leash: Leash) -> str:
    """Why a service that runs has no Redis, as its log says."""
    async with never_ready(module, url, leash) as service:

        async def said() -> str:
            lines = [line for line in service.log.splitlines() if '"message": "Redis is away"' in line]
            return lines[0] if lines else ""

        line: str = await until(said, SAID_S)
        async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
            assert (await client.get(f"{service.url}/readyz")).status_code == 503
        return line


@asynccontextmanager
async def never_ready(module: str, url: str, leash: Leash) -> AsyncIterator[Service]:
    service = await Service(module, leash, {"REDIS_URL": url}).start("/healthz")
    try:
        yield service
    finally:
        await service.kill()
