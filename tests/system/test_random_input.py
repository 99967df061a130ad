"""Random bytes never break a service, and leave nothing behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings

from tests.processes import Service, Services
from tests.system.bad_request import CONSUME, DELETE, START, STOP
from tests.system.random_requests import BROKEN_HTTP, REQUESTS, Request

pytestmark = pytest.mark.anyio

DEADLINE_S = 10.0
FEW = settings(
    max_examples=100,
    deadline=None,
    # The house stands for all examples, and every example leaves it as it was.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
async def clients(house: Services) -> AsyncIterator[list[httpx2.AsyncClient]]:
    """One connection to each service, kept alive."""
    async with contextlib.AsyncExitStack() as stack:
        limits = httpx2.Limits(max_connections=1)
        yield [
            await stack.enter_async_context(
                httpx2.AsyncClient(base_url=service.url, timeout=DEADLINE_S, verify=False, limits=limits)
            )
            for service in (house.generate, house.consume)
        ]


@pytest.fixture(scope="module", autouse=True)
async def left_as_it_was(house: Services, own_client: Any) -> AsyncIterator[None]:
    """After all examples: both processes are well, nothing broke inside, and Redis holds what it held."""
    before = await keys_of(own_client)
    yield
    assert await keys_of(own_client) == before
    async with httpx2.AsyncClient(verify=False) as client:
        for service in (house.generate, house.consume):
            assert (await client.get(f"{service.url}/readyz")).status_code == 200
            assert "Traceback" not in service.log
            assert '"level": "error"' not in service.log


@FEW
@given(request=REQUESTS)
async def test_a_random_request_never_causes_a_500(clients: list[httpx2.AsyncClient], request: Request) -> None:
    by_path = {CONSUME: clients[1:], START: clients[:1], STOP: clients[:1], DELETE: clients[:1]}
    for client in by_path.get(request.path, clients):
        async with client.stream(
            request.method, request.path, params=request.query, headers=request.headers, content=request.body
        ) as response:
            assert response.status_code < 500
            # A stream that was opened does not end by itself.
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                continue
            body = await response.aread()
        if response.status_code >= 400 and request.method != "HEAD":
            assert response.json()["error"].keys() == {"code", "message"}, body


@FEW
@given(raw=BROKEN_HTTP)
async def test_broken_http_never_causes_a_500(house: Services, raw: bytes) -> None:
    for service in (house.generate, house.consume):
        answer = await exchange(service, raw)
        assert b"HTTP/1.1 5" not in answer
        assert not answer or answer.startswith(b"HTTP/1.1 ")


async def exchange(service: Service, raw: bytes) -> bytes:
    """Send bytes, send no more, and read whatever comes to the end."""
    url = httpx2.URL(service.url)
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        try:
            writer.write(raw)
            writer.write_eof()
            return await reader.read()
        except ConnectionError:
            # A server may hang up on what it has not read yet.
            return b""
        finally:
            writer.close()


async def keys_of(own_client: Any) -> set[str]:
    """All keys but the signs of life of consume-stream."""
    return {key for key in await own_client.keys("*") if not key.startswith("llm:consumer:")}
