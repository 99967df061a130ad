"""Both services keep what they are told in confidence: nothing they log, answer, count or say of themselves has it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
import redis

from deploy import redis_server
from deploy.leash import Leash
from deploy.redis_server import RedisServer
from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream.settings import Settings as GenerateSettings
from shared.settings import Settings
from tests.edge.line import line
from tests.fakes.upstream import Upstream
from tests.processes import Service, Services, until, vendor_settings

pytestmark = pytest.mark.anyio

OF: dict[str, type[Settings]] = {
    "services.generate_stream": GenerateSettings,
    "services.consume_stream": ConsumeSettings,
}
SECRET = "hunter2-never-to-be-shown"
"""In every value, and long enough for each that takes so many bytes."""

TOKENS = [
    f"Bearer {SECRET}", f"Bearer {SECRET}.{SECRET}.{SECRET}", f"Basic {SECRET}", SECRET,
    f"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.{SECRET}",
]  # fmt: skip


def secrets(settings: type[Settings]) -> dict[str, str]:
    """Every secret that they can be told, and what else these ask for."""
    told = {variable.name: f"{SECRET}-{variable.name}" for _, variable in settings._variables() if variable.secret}
    known = {variable.name for _, variable in settings._variables()}
    if "REJOIN_AUTH" in known:
        told |= {"REJOIN_AUTH": "jwt", "REJOIN_JWT_ISSUER": "issuer", "REJOIN_JWT_AUDIENCE": "audience"}
    return told


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis with a password."""
    binary, *_ = redis_server.binaries()
    with redis_server.start(binary, tmp_path) as server:
        with closing(redis.Redis.from_url(server.url)) as client:
            client.config_set("requirepass", SECRET)
        yield server


def url_of(server: RedisServer, password: str = SECRET) -> str:
    """Where it is, with a password."""
    return server.url.replace("://", f"://:{password}@", 1)


@pytest.fixture
async def telling(locked: RedisServer, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services with every secret, at the most that they log."""
    services = Services(url_of(locked), leash, vendors=upstream.url, REJOIN_LOG_LEVEL="debug", REJOIN_DOCTOR="on")
    services.generate._environ |= secrets(GenerateSettings) | {"REDIS_URL": url_of(locked)}
    services.consume._environ |= secrets(ConsumeSettings) | {"REDIS_URL": url_of(locked)}
    async with services:
        yield services


async def asked(service: Service) -> list[str]:
    """All that it answers to requests that carry secrets, most of them wrong."""
    answers = []
    async with httpx2.AsyncClient(base_url=service.url, verify=False, timeout=15) as client:
        for token in TOKENS:
            headers = {"Authorization": token, "Cookie": f"__Host-rejoin={token.rpartition(' ')[2]}"}
            for path in ("/api/models", f"/api/sessions/none-of-mine?share={SECRET}", f"/nothing?share={SECRET}",
                         f"/api/consume-stream?sessionId=none-of-mine&share={SECRET}", "/metrics"):  # fmt: skip
                answers.append(await client.get(path, headers=headers))
            for path in ("generate-stream", "stop-stream", "delete-stream", "login", "share-stream"):
                body = {"sessionId": "none-of-mine", "prompt": "x", "token": SECRET}
                answers.append(await client.post(f"/api/{path}", headers=headers, json=body))
    async with line(service) as connection:
        await connection.send(f"GET /?share={SECRET} HTTP/1.1\r\nAuthorization {SECRET}\r\n\r\n".encode())
        rest = (await connection.rest()).decode()
    assert all(answer.status_code < 500 for answer in answers)
    return [f"{answer.headers} {answer.text}" for answer in answers] + [rest]


async def test_nothing_that_they_say_holds_a_secret(telling: Services, locked: RedisServer) -> None:
    both = (telling.generate, telling.consume)
    said = [each for service in both for each in await asked(service)]
    locked.kill()
    async with httpx2.AsyncClient(verify=False, timeout=15) as client:
        for service in both:

            async def says_that_redis_is_away(service: Service = service) -> bool:
                return "Redis is away" in service.log

            await until(says_that_redis_is_away, 20)
            for path in ("/metrics", "/readyz", "/api/models", "/api/sessions/none-of-mine"):
                said.append((await client.get(service.url + path)).text)
    for service in both:
        assert await service.stop() == 0
        assert '"level": "debug"' in service.log
        said.append(service.log)
    assert [each for each in said if SECRET in each] == []


@pytest.mark.parametrize("module", OF)
async def test_a_password_that_redis_does_not_take_is_not_said(locked: RedisServer, leash: Leash, module: str) -> None:
    wrong = f"{SECRET}-and-wrong"
    service = Service(module, leash, vendor_settings("http://127.0.0.1:9"))
    service._environ |= secrets(OF[module]) | {"REDIS_URL": url_of(locked, wrong), "REJOIN_LOG_LEVEL": "debug"}
    starting = asyncio.create_task(service.start("/healthz"))
    try:
        await starting

        async def is_told() -> bool:
            return "away" in service.log or "refused" in service.log

        await until(is_told, 20)
        async with httpx2.AsyncClient(verify=False, timeout=15) as client:
            for path in ("/readyz", "/metrics", "/api/sessions/none-of-mine", "/api/models"):
                assert SECRET not in (await client.get(service.url + path)).text
    finally:
        if service.process and service.process.poll() is None:
            await service.kill()
    assert SECRET not in service.log


@pytest.mark.parametrize("module", OF)
def test_neither_do_the_settings_show_any(module: str) -> None:
    environ = secrets(OF[module]) | {"REDIS_URL": f"redis://user:{SECRET}@127.0.0.1"}
    settings = OF[module].read(environ)
    told = {variable.name: getattr(settings, name) for name, variable in settings._variables() if variable.secret}
    assert all(SECRET in value for value in told.values())
    assert len(told) >= 1
    shown = f"{settings} {settings!r} {settings.table()} {getattr(settings, 'providers', '')!r}"
    assert SECRET not in shown


@pytest.mark.parametrize("module", OF)
async def test_a_secret_in_the_wrong_form_stops_the_start_unsaid(leash: Leash, module: str) -> None:
    service = Service(module, leash, {"REDIS_URL": f"{SECRET}://nowhere"})
    with pytest.raises(AssertionError, match="ended at its start") as ended:
        await service.start()
    assert "REDIS_URL can't be used" in str(ended.value)
    assert SECRET not in str(ended.value)
