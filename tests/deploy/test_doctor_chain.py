"""The doctor names what a chain of proxies does to streams, with the line that mends it; and says when all is well."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from deploy.leash import Leash
from tests.deploy.broken_proxy import BrokenProxy
from tests.deploy.examined import SECONDS, SLOW, examined, lines, not_well
from tests.ports import free_port
from tests.processes import ROOT, Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.usefixtures("page")]

ON = {"REJOIN_DOCTOR": "on", "REJOIN_PING_S": "1"}


@pytest.fixture(scope="module")
async def services(redis_url: str, leash: Leash, anyio_backend: str) -> AsyncIterator[Services]:
    async with Services(redis_url, leash, **ON) as running:
        yield running


@pytest.fixture(scope="module")
async def origin(services: Services) -> AsyncIterator[str]:
    async with services.origin() as url:
        yield url


def through(origin: str, **faults: Any) -> BrokenProxy:
    return BrokenProxy(int(origin.rpartition(":")[2]), **faults)


async def command(*arguments: str) -> tuple[int | None, str]:
    """`python -m deploy.doctor` as an operator runs it: its exit code, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.doctor", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(40):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_healthy_chain_is_said_to_be_so_and_an_answer_comes_through(origin: str) -> None:
    code, said = await command(origin, "--ask", "--seconds", "20")
    slow = [line for line in said.splitlines() if line.startswith(tuple(f"! {check}" for check in SLOW))]
    assert code == (1 if slow else 0), said
    assert slow or "Nothing is wrong." in said
    assert "✓ compression" in said
    assert "✓ idle cut-off" in said
    assert "✓ an answer" in said
    assert "– protocol" in said
    assert [line for line in said.splitlines() if line.startswith(("✗", "!"))] == slow


async def test_a_proxy_that_only_passes_on_is_well(origin: str) -> None:
    async with through(origin) as proxy:
        found = await examined(proxy.url)
    assert not_well(found) == {}


async def test_a_proxy_that_holds_back_is_named(origin: str) -> None:
    async with through(origin, holds=True) as proxy:
        found = await examined(proxy.url)
    assert not_well(found) == {"buffering": "problem"}
    assert "proxy_buffering off;" in lines(found["buffering"])
    assert 'nginx.ingress.kubernetes.io/proxy-buffering: "off"' in lines(found["buffering"])


async def test_a_proxy_that_compresses_is_named(origin: str) -> None:
    async with through(origin, gzips=True) as proxy:
        found = await examined(proxy.url)
    assert not_well(found) == {"compression": "problem"}
    assert "gzip off;" in lines(found["compression"])
    assert found["buffering"].state == "ok"


async def test_a_proxy_that_cuts_what_is_quiet_is_named_with_its_time(origin: str) -> None:
    async with through(origin, idle_s=0.6) as proxy:
        found = await examined(proxy.url)
    assert not_well(found) == {"idle cut-off": "problem"}
    assert re.search(r"cut after 0\.[6-9] s of silence", found["idle cut-off"].seen)
    assert "proxy_read_timeout 1h;" in lines(found["idle cut-off"])
    assert "REJOIN_PING_S=0.5" in lines(found["idle cut-off"])


async def test_a_proxy_whose_clock_is_wrong_is_named(origin: str) -> None:
    async with through(origin) as proxy:
        proxy.date_ahead_s = -3600
        found = await examined(proxy.url)
    assert not_well(found) == {"clock of the proxy (Date)": "warning"}
    assert "behind this machine's" in found["clock of the proxy (Date)"].seen
    assert "timedatectl set-ntp true" in lines(found["clock of the proxy (Date)"])


async def test_a_path_that_leads_to_the_other_service_is_named(services: Services) -> None:
    found = await examined(services.generate.url)
    assert not_well(found) == {"route to consume-stream": "problem", "doctor of consume-stream": "problem"}
    assert "location /api/consume-stream {" in lines(found["route to consume-stream"])[0]
    found = await examined(services.consume.url)
    assert not_well(found) == {"route to generate-stream": "problem", "doctor of generate-stream": "problem"}


async def test_nobody_there_is_out_of_reach() -> None:
    code, said = await command(f"http://127.0.0.1:{free_port()}", "--json")
    told = json.loads(said)
    assert code == told["exitCode"] == 2
    assert [(each["check"], each["state"]) for each in told["findings"]] == [("reach", "problem")]


async def test_a_page_that_answers_every_path_is_no_service() -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage"
        )
        writer.close()

    port = free_port()
    async with await asyncio.start_server(page, "127.0.0.1", port):
        found = await examined(f"http://127.0.0.1:{port}", ask=True)
    services = ("consume-stream", "generate-stream")
    assert not_well(found) == {f"{what} {name}": "problem" for what in ("route to", "doctor of") for name in services}
    assert found["an answer"].state == "unchecked"


async def test_what_there_is_no_time_for_is_said(origin: str) -> None:
    found = await examined(origin, 4.0)
    assert found["idle cut-off"].state == "unchecked"
    assert "--seconds" in found["idle cut-off"].seen
    assert found["an answer"].state == "unchecked"


async def test_it_is_off_unless_the_setting_says_on(redis_url: str, leash: Leash) -> None:
    async with Services(redis_url, leash) as quiet, quiet.origin() as url:
        found = await examined(url)
        async with httpx2.AsyncClient(base_url=url, trust_env=False, verify=False) as client:
            paths = ("doctor", "doctor/", "doctor/doctor.js", "api/consume-stream/doctor/beacons?seconds=1&every=1")
            assert [(await client.get(f"/{path}")).status_code for path in paths] == [404] * 4
    assert not_well(found) == {"doctor of consume-stream": "problem", "doctor of generate-stream": "problem"}
    assert lines(found["doctor of generate-stream"]) == ["REJOIN_DOCTOR=on"]


async def test_the_page_is_there_where_the_doctor_is_on(services: Services) -> None:
    services_on = {"REJOIN_DOCTOR": "on"}
    async with (
        services.origin(**services_on) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        for path in ("/doctor", "/doctor/"):
            page = await client.get(path)
            assert page.status_code == 200
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert "/doctor/doctor.js" in page.text


async def test_beacons_pass_as_an_answer_does_and_few_are_had_at_a_time(services: Services, session: str) -> None:
    async with httpx2.AsyncClient(
        base_url=services.consume.url, trust_env=False, timeout=SECONDS, verify=False
    ) as client:
        beacons = {"seconds": "30", "every": "30"}
        path = "/api/consume-stream"
        async with (
            client.stream("GET", path, params={"sessionId": session, "follow": "session"}) as answer,
            client.stream("GET", f"{path}/doctor/beacons", params=beacons) as stream,
        ):
            alike = [
                {name: value for name, value in each.headers.items() if name not in ("date", "x-request-id")}
                for each in (answer, stream)
            ]
            assert alike[0] == alike[1]
            first = b""
            async for data in stream.aiter_raw():
                first += data
                if b"beacon" in first:
                    break
            assert first.startswith(b": ping\n")
        streams = [client.build_request("GET", f"{path}/doctor/beacons", params=beacons) for _ in range(9)]
        opened = [await client.send(request, stream=True) for request in streams]
        assert [each.status_code for each in opened].count(200) <= 8
        assert opened[-1].status_code == 429
        for each in opened:
            await each.aclose()


@pytest.mark.parametrize(
    "query",
    ["", "seconds=1", "seconds=121&every=1", "seconds=nan&every=1", "seconds=120&every=0.05", "seconds=1&every=2"],
)
async def test_beacons_without_end_are_refused(services: Services, query: str) -> None:
    async with httpx2.AsyncClient(base_url=services.consume.url, trust_env=False, verify=False) as client:
        answer = await client.get(f"/api/consume-stream/doctor/beacons?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("invalid_seconds", "invalid_every")
