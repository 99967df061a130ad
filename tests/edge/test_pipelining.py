"""Requests that come before their forerunner is answered: all are answered in their order, and all hear of the end."""

import asyncio
import contextlib
import json
from typing import Any

import httpx2
import pytest

from tests.processes import Service, Services, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

DEADLINE_S = 30.0


async def test_a_viewer_before_whom_another_request_came_leaves_when_its_connection_breaks(
    services: Services, redis_client: Any, session: str
) -> None:
    begun = await services.start(sessionId=session, provider="demo", prompt="Hello?")
    _, writer = await _connected(services.consume)
    writer.write(_get(f"{begun['streamUrl']}&follow=session") + _get("/healthz"))
    await until(lambda: _groups(redis_client, session), DEADLINE_S)
    assert await _viewers(services.consume) >= 1
    held = await _viewers(services.consume)
    writer.transport.abort()

    async def left() -> bool:
        return not await _groups(redis_client, session) and await _viewers(services.consume) < held

    await until(left, DEADLINE_S)
    await services.stop(session)
    assert "Traceback" not in services.consume.log


async def test_pipelined_requests_are_answered_one_after_the_other(services: Services) -> None:
    reader, writer = await _connected(services.generate)
    writer.write(b"".join(_get("/healthz", f"number-{number}") for number in range(8)))
    async with asyncio.timeout(DEADLINE_S):
        for number in range(8):
            head = await reader.readuntil(b"\r\n\r\n")
            assert f"x-request-id: number-{number}\r\n".encode() in head
            assert await reader.readexactly(3) == b"ok\n"
    writer.close()


async def test_the_line_of_a_request_tells_nothing_of_the_one_before_it(services: Services, session: str) -> None:
    first, second = f"{session}-1", f"{session}-2"

    async def told(request: str) -> dict[str, Any] | None:
        lines = map(json.loads, services.consume.log.splitlines())
        return next((line for line in lines if line.get("request_id") == request), None)

    _, writer = await _connected(services.consume)
    with contextlib.closing(writer):
        writer.write(_get(f"/api/sessions/{session}", first) + _get("/nothing", second))
        assert (await until(lambda: told(first), DEADLINE_S))["session"] == session
        assert "session" not in await until(lambda: told(second), DEADLINE_S)


async def test_what_can_not_be_read_never_comes_out_in_the_middle_of_an_answer(
    services: Services, session: str
) -> None:
    begun = await services.start(sessionId=session, provider="demo", prompt="Hello?")
    reader, writer = await _connected(services.consume)
    writer.write(_get(begun["streamUrl"]))
    async with asyncio.timeout(DEADLINE_S):
        told = await reader.readuntil(b'"started"')
        writer.write(b"\0 is no request\r\n\r\n")
        told += await reader.read()
    writer.close()
    await services.stop(session)
    assert told.count(b"HTTP/1.1 ") == 1


async def test_who_asks_whether_to_go_on_and_sends_nonsense_at_once_is_refused_in_good_order(
    services: Services,
) -> None:
    reader, writer = await _connected(services.generate)
    head = _get("/api/generate-stream").replace(b"GET", b"POST", 1).removesuffix(b"\r\n")
    framing = b"Expect: 100-continue\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + framing + b"no size\r\n")
    async with asyncio.timeout(DEADLINE_S):
        told = await reader.read()
    writer.close()
    assert told.startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in services.generate.log


async def _connected(service: Service) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = httpx2.URL(service.url)
    return await asyncio.open_connection(url.host, url.port)


def _get(path: str, request_id: str = "an-id") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: rejoin\r\nX-Request-ID: {request_id}\r\n\r\n".encode()


async def _groups(redis_client: Any, session: str) -> Any:
    return await redis_client.xinfo_groups(f"llm:stream:{session}")


async def _viewers(service: Service) -> float:
    async with httpx2.AsyncClient(verify=False) as client:
        told = (await client.get(f"{service.url}/metrics")).text
    return float(next(line for line in told.splitlines() if line.startswith("rejoin_viewers ")).split()[1])
