"""Bad input gets a clear error and leaves nothing behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.processes import Service, Services
from tests.system.bad_request import CONSUME, GOOD, SESSIONS, START, Bad
from tests.system.bad_requests import CONSUMING, GENERATE

pytestmark = pytest.mark.anyio

BODY_TIMEOUT_S = 10.0


async def test_every_bad_request_to_generate_stream_is_refused_and_leaves_nothing(
    house: Services, own_client: Any
) -> None:
    before = await everything(own_client)
    assert not (wrong := await wrongly_answered(house.generate, GENERATE)), "\n".join(wrong)
    assert not await everything(own_client) - before


async def test_every_bad_request_to_consume_stream_is_refused_and_leaves_nothing(
    house: Services, own_client: Any
) -> None:
    before = await everything(own_client)
    assert not (wrong := await wrongly_answered(house.consume, CONSUMING)), "\n".join(wrong)
    assert not await everything(own_client) - before


async def test_what_the_tables_change_only_a_little_is_taken(house: Services, own_client: Any) -> None:
    """Else the tables would prove nothing."""
    body = {"sessionId": GOOD, "prompt": "x" * 131_072, "temperature": 2, "maxTokens": 1, "provider": "demo"}
    async with client_of(house.generate) as client:
        assert (await client.post(START, json=body)).status_code == 202
        typed = {"Content-Type": "Application/JSON; charset=utf-8"}
        other = json.dumps({"prompt": "\0" * 131_072}).encode()
        assert (await client.post(START, content=other, headers=typed)).status_code == 202
    assert f"llm:stream:{GOOD}" in await everything(own_client)
    async with client_of(house.consume) as client:
        for query in ("lastEventId=0", "lastEventId=0-0", "limit=50", "limit=1&before=1-1"):
            assert (await client.get(f"{SESSIONS}{GOOD}?{query}")).status_code == 200
        async with client.stream(
            "GET", f"{CONSUME}?sessionId={GOOD}&lastEventId=rubbish", headers={"Last-Event-ID": "0"}
        ) as response:
            assert response.status_code == 200
    async with client_of(house.generate) as client:
        await client.post("/api/stop-stream", json={"sessionId": GOOD})


async def test_a_body_that_never_comes_is_not_waited_for_long(house: Services, own_client: Any) -> None:
    before = await everything(own_client)
    reader, writer = await asyncio.open_connection(*address(house.generate))
    head = f"POST {START} HTTP/1.1\r\nHost: rejoin\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    writer.write(f"{head}{{".encode())
    async with asyncio.timeout(BODY_TIMEOUT_S + 5):
        answer = await reader.readuntil(b"}}")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"
    assert not await everything(own_client) - before


async def wrongly_answered(service: Service, table: list[Bad]) -> list[str]:
    """Send every request of a table; tell of each that was not refused as it says."""
    wrong = []
    async with client_of(service) as client:
        for bad in table:
            response = await send(client, bad)
            if not is_refused(response, bad):
                wrong.append(f"{bad}: {response.status_code} {response.text[:200]}")
    assert "Traceback" not in service.log
    return wrong


async def send(client: httpx2.AsyncClient, bad: Bad) -> httpx2.Response:
    """Send one request, its path as it stands."""

    async def pieces() -> AsyncIterator[bytes]:
        assert bad.body
        for at in range(0, len(bad.body), 50_000):
            yield bad.body[at : at + 50_000]

    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in bad.query)
    content = pieces() if bad.chunked else bad.body
    url = f"{bad.path}?{query}" if query else bad.path
    return await client.request(bad.method, url, content=content, headers=list(bad.headers))


def is_refused(response: httpx2.Response, bad: Bad) -> bool:
    """Whether the answer is the one that the table says, in the one shape that all errors have."""
    if response.headers.get("content-type") != "application/json":
        return False
    body = response.json()
    error = body.get("error", {})
    return (
        (response.status_code, error.get("code")) == bad.refused
        and body.keys() == {"error"}
        and error.keys() == {"code", "message"}
        and 0 < len(error["message"]) < 500
        and (response.status_code != 405 or bool(response.headers.get("allow")))
    )


async def everything(own_client: Any) -> set[str]:
    """All keys but the signs of life of consume-stream."""
    return {key for key in await own_client.keys("*") if not key.startswith("llm:consumer:")}


def client_of(service: Service) -> httpx2.AsyncClient:
    """One connection that is kept alive."""
    return httpx2.AsyncClient(base_url=service.url, timeout=15, verify=False, limits=httpx2.Limits(max_connections=1))


def address(service: Service) -> tuple[str, int]:
    """Host and port."""
    url = httpx2.URL(service.url)
    assert url.port
    return url.host, url.port
