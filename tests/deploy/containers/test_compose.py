"""All of it in containers behind TLS: the story, one service scaled by itself, a redeploy, a backup."""

import asyncio
import hashlib
import itertools
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser

from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream.settings import Settings as GenerateSettings
from shared.events import TERMINAL
from tests import processes
from tests.deploy.containers.composed import PROJECT, Composed, until
from tests.deploy.docker import ROOT, Docker
from tests.viewing import Cut, Frame, Refused, Viewer
from tests.web.conftest import browser
from tests.web.reader import reading

__all__ = ["browser"]

pytestmark = [pytest.mark.containers, pytest.mark.anyio, pytest.mark.timeout(300)]


class Faithful(Viewer):
    """Comes back after every cut, until the end."""

    async def see(self) -> None:
        while not (self.frames and is_end(self.frames[-1])):
            try:
                await self.connect(until=is_end)
            except (Cut, httpx2.TransportError):
                await asyncio.sleep(0.1)
            except Refused as refused:
                if refused.response.status_code not in (502, 503):
                    raise
                await asyncio.sleep(0.1)


def is_end(frame: Frame) -> bool:
    return frame.event.get("status") in TERMINAL


def is_whole(viewer: Viewer, status: str = "completed") -> bool:
    """Whether it has its end, and by the digest every word of it."""
    end = viewer.frames[-1].event
    return (end["status"], end["digest"]) == (status, hashlib.sha256(viewer.text.encode()).hexdigest())


def timed(moments: list[float], frame: Frame) -> bool:
    """Note when a frame came; whether it is the last."""
    moments.append(time.monotonic())
    return is_end(frame)


@pytest.fixture
async def client(composed: Composed) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=composed.url, verify=False, trust_env=False) as client:
        yield client


async def ask(client: httpx2.AsyncClient, session: str, prompt: str = "hello") -> None:
    response = await client.post("/api/generate-stream", json={"sessionId": session, "prompt": prompt})
    assert response.status_code == 202, response.text


async def words(viewer: Viewer, number: int) -> None:
    """Wait until it has so many letters."""

    async def there() -> bool:
        return len(viewer.text) >= number

    await processes.until(there, 30)


async def test_every_viewer_reads_the_same_as_it_is_written(
    composed: Composed, client: httpx2.AsyncClient, session: str
) -> None:
    early, late, leaving = (Faithful(composed.url, session, follow) for follow in ("session", "answer", "answer"))
    moments: list[float] = []
    async with asyncio.TaskGroup() as viewers:
        viewers.create_task(early.connect(until=lambda frame: timed(moments, frame)))
        await ask(client, session)
        await words(early, 200)
        await leaving.connect(until=lambda frame: len(leaving.text) >= 100)
        viewers.create_task(late.see())
        viewers.create_task(leaving.see())
    assert early.text == late.text == leaving.text
    assert is_whole(early)
    # No proxy gathers: the words have come over as long a time as they were written in, few at a time.
    first = early.frames[0].event
    written_s = early.frames[-1].event["durationMs"] / 1000
    assert first["status"] == "started"
    assert moments[-1] - moments[0] > 0.9 * written_s - 0.5
    assert len(early.frames) > 50
    assert max(later - sooner for sooner, later in itertools.pairwise(moments)) < 1


async def test_a_stop_is_heard_wherever_the_answer_is_written(
    composed: Composed, client: httpx2.AsyncClient, session: str
) -> None:
    viewer = Faithful(composed.url, session, "session")
    async with asyncio.TaskGroup() as viewers:
        viewers.create_task(viewer.see())
        await ask(client, session)
        await words(viewer, 20)
        stopped = await client.post("/api/stop-stream", json={"sessionId": session})
        assert stopped.status_code == 202
    assert is_whole(viewer, "stopped")


async def test_a_browser_gets_the_page_and_the_words_over_http2(
    composed: Composed, client: httpx2.AsyncClient, session: str, browser: Browser
) -> None:
    await ask(client, session)
    async with reading(browser, composed.url, session, ignore_https_errors=True) as reader:
        tab = await reader.open()
        await tab.page.get_by_text("This is the demo.").first.wait_for()
        entries = "performance.getEntriesByType('{}').map(entry => entry.nextHopProtocol)"
        protocols = {kind: set(await tab.page.evaluate(entries.format(kind))) for kind in ("navigation", "resource")}
    assert protocols == {"navigation": {"h2"}, "resource": {"h2"}}


async def test_one_service_is_scaled_without_touching_the_others(
    composed: Composed, client: httpx2.AsyncClient, docker: Docker, session: str
) -> None:
    before = composed.containers()
    started = {each: docker.inspect(each)["State"]["StartedAt"] for each in before}
    viewer = Viewer(composed.url, session, "session")
    async with asyncio.TaskGroup() as viewers:
        viewers.create_task(viewer.connect(until=lambda frame: is_end(frame) and frame.event["generation"] == 2))
        await ask(client, session)
        await words(viewer, 50)
        up = ("up", "-d", "--no-deps", "--no-recreate", "--scale", "consume=4", "consume")
        await asyncio.to_thread(composed.compose, *up)
        (new,) = set(composed.containers()) - set(before)
        address = docker.inspect(new)["NetworkSettings"]["Networks"][f"{PROJECT}_inside"]["IPAddress"]

        async def is_asked() -> None:
            while f"{address}:8002" not in await asyncio.to_thread(composed.asked, "/api/sessions/-"):
                await client.get(f"/api/sessions/{session}")

        async def is_ended() -> bool:
            return any(map(is_end, viewer.frames))

        await asyncio.wait_for(is_asked(), 30)
        await processes.until(is_ended, 60)
        await ask(client, session)
    assert {each: docker.inspect(each)["State"]["StartedAt"] for each in before} == started
    # All in one connection: nobody was cut.
    assert viewer.frames[-1].event["status"] == "completed"


@pytest.mark.parametrize("service", ["consume", "generate", "nginx"])
async def test_a_service_that_is_made_anew_loses_no_word(
    composed: Composed, client: httpx2.AsyncClient, session: str, service: str
) -> None:
    before = composed.containers(service)
    viewer = Faithful(composed.url, session, "session")
    async with asyncio.TaskGroup() as viewers:
        viewers.create_task(viewer.see())
        await ask(client, session)
        await words(viewer, 50)
        scale = {"consume": ["--scale", "consume=3"], "generate": ["--scale", "generate=2"], "nginx": []}[service]
        up = ("up", "-d", "--no-deps", "--force-recreate", *scale, service)
        await asyncio.to_thread(composed.compose, *up)
    assert is_whole(viewer)
    assert not set(before) & set(composed.containers(service))
    await asyncio.to_thread(until, composed.is_ready, 60, f"{service} is back")


async def test_readers_can_not_call_out_and_writers_can(composed: Composed, docker: Docker) -> None:
    ways_out = {}
    for service in ("generate", "consume", "redis"):
        seen = docker.inspect(composed.containers(service)[0])["NetworkSettings"]["Networks"]
        ways_out[service] = {name for name in seen if not docker.inspect(name)["Internal"]}
    assert ways_out == {"generate": {f"{PROJECT}_outside"}, "consume": set(), "redis": set()}


async def test_redis_is_as_rejoin_needs_it(composed: Composed) -> None:
    for name, value in (("appendonly", "yes"), ("appendfsync", "everysec"), ("maxmemory-policy", "noeviction")):
        said = composed.compose("exec", "-T", "redis", "redis-cli", "config", "get", name)
        assert said.split() == [name, value]


async def test_each_service_is_a_user_of_its_own_and_nobody_else_comes_in(composed: Composed, docker: Docker) -> None:
    clients = composed.compose("exec", "-T", "redis", "redis-cli", "client", "list").splitlines()
    users = {re.search(r" name=rejoin-(\w+).* user=(\w+) ", client) for client in clients if "name=rejoin" in client}
    assert {match.groups() for match in users if match} == {("generate", "generate"), ("consume", "consume")}
    nobody = composed.compose("exec", "-T", "-e", "REDISCLI_AUTH=", "redis", "redis-cli", "ping")
    assert "NOAUTH" in nobody
    for service, other in (("generate", "CONSUME"), ("consume", "GENERATE")):
        environ = str(docker.inspect(composed.containers(service)[0])["Config"]["Env"])
        assert f"redis://{service}:" in environ
        assert f"redis://{other.lower()}:" not in environ


@pytest.mark.parametrize(("service", "settings"), [("generate", GenerateSettings), ("consume", ConsumeSettings)])
async def test_every_setting_has_its_way_into_the_container(service: str, settings: Any) -> None:
    text = (ROOT / "deploy/compose.yaml").read_text()
    section = re.split(r"^  (?=\w+:$)", text, flags=re.M)
    (own,) = (each for each in section if each.startswith(f"{service}:"))
    passed = set(re.findall(r"^      ([A-Z_]+):", own, re.M))
    assert f"env_file: [secrets/{service}.env]" in own  # its REDIS_URL, which has its password
    # Where it listens is the image's; and what OpenTelemetry's SDK reads by itself is in no table of ours.
    assert passed - {"OTEL_EXPORTER_OTLP_HEADERS"} | {"REDIS_URL"} == {name for name, *_ in settings.table()} - {
        "REJOIN_HOST",
        "REJOIN_PORT",
    }


async def test_sessions_outlive_the_containers_and_can_be_brought_back_from_a_backup(
    composed: Composed, client: httpx2.AsyncClient, docker: Docker, session: str, tmp_path: Path
) -> None:
    await ask(client, session)
    viewer = Faithful(composed.url, session)
    await viewer.see()

    certificate = composed.compose("exec", "-T", "nginx", "cat", "/tls/tls.crt")
    await asyncio.to_thread(composed.down)
    assert composed.containers() == []
    await asyncio.to_thread(composed.up, 1, 1)
    assert has(composed, session, viewer.text)
    assert composed.compose("exec", "-T", "nginx", "cat", "/tls/tls.crt") == certificate

    for line in commands("backup"):
        await asyncio.to_thread(run, composed, line, tmp_path)
    await asyncio.to_thread(composed.compose, "down", "--volumes")
    await asyncio.to_thread(composed.up, 1, 1)
    assert composed.get(f"/api/sessions/{session}").status_code == 404
    for line in commands("restore"):
        await asyncio.to_thread(run, composed, line, tmp_path)
    await asyncio.to_thread(until, lambda: has(composed, session, viewer.text), 60, "the session is back")


def has(composed: Composed, session: str, text: str) -> bool:
    """Whether the session can be read."""
    response = composed.get(f"/api/sessions/{session}")
    return response.status_code == 200 and response.json()["generations"][0]["text"] == text


def commands(name: str) -> list[str]:
    """The lines of README that do this."""
    found = re.search(rf"<!-- {name}: run by .*?-->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert found, f"README does not say how to {name}"
    return [line for line in found[1].splitlines() if line and not line.startswith("#")]


def run(composed: Composed, line: str, directory: Path) -> None:
    """A line of README, its file in a directory of ours."""
    composed.shell(line.replace("rejoin.rdb", str(directory / "rejoin.rdb")))
