"""The fetch that comes with the page: `stop()` stops, a closed tab does not, and a stream that is cut goes on."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from deploy.leash import Leash
from deploy.page import DIST
from tests.consume_stream.outside_writer import OutsideWriter
from tests.dialects.chats import VERSIONS, Chat, Chats, running, text
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.proxy import Proxy
from tests.web import tokens

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

MODULE = DIST / "rejoin-chat.js"
GZIP_MAX_BYTES = 2048


@pytest.fixture(scope="module", params=VERSIONS)
async def chats(request: pytest.FixtureRequest, page: None, node_clients: Path) -> AsyncIterator[Chats]:
    """A process of Node, for each version."""
    async with running(node_clients, request.param, MODULE) as chats:
        yield chats


@pytest.fixture
async def way(front: str) -> AsyncIterator[Proxy]:
    """The way to the origin, to be cut."""
    async with Proxy(f"redis://127.0.0.1:{urlsplit(front).port}") as proxy:
        yield proxy


async def opened(chats: Chats, origin: str, session: str, **more: Any) -> Chat:
    """A chat with our fetch."""
    name = session
    given = {"id": session, "api": f"{origin}/api/chat", "body": {"provider": "openai"}, "rejoin": True} | more
    await chats.do("open", name=name, **given)
    return Chat(chats, name)


async def statuses(services: Services, session: str) -> list[str]:
    """How the answers stand, the newest first."""
    async with httpx2.AsyncClient(verify=False) as client:
        page = (await client.get(f"{services.consume.url}/api/sessions/{session}")).json()
    return [answer["status"] for answer in page["generations"]]


async def status(services: Services, session: str) -> str:
    """How the newest answer stands."""
    return (await statuses(services, session))[0]


def test_it_is_one_small_module(page: None) -> None:
    module = MODULE.read_bytes()
    assert b"import" not in module
    assert len(gzip.compress(module)) <= GZIP_MAX_BYTES


async def test_an_answer_that_is_cut_again_and_again_is_whole(
    chats: Chats, way: Proxy, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    words = tuple(f"word {number}, " for number in range(4))
    upstream.prompts[session] = Script(text=words, thinking=("hm",), gate=gate)
    chat = await opened(chats, f"http://127.0.0.1:{way.port}", session)
    await chat.ask(session)
    for number in range(4):
        gate.release()
        await chat.shows("".join(words[: number + 1]))
        way.cut()
    state = await chat.becomes("ready")
    assert state["finishes"][0]["isError"] is False
    assert [part["type"] for part in state["messages"][-1]["parts"]] == ["step-start", "reasoning", "text"]
    assert text(state["messages"][-1]) == "".join(words)


async def test_without_it_an_answer_that_is_cut_is_resumed_by_asking_for_all_of_it(
    chats: Chats, way: Proxy, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("Hel", "lo"), gate=gate)
    chat = await opened(chats, f"http://127.0.0.1:{way.port}", session, rejoin=False)
    await chat.ask(session)
    await chat.shows("Hel")
    way.cut()
    await chat.becomes("error")
    await chat.begin("resumeStream")
    await chat.becomes("streaming")
    gate.release()
    await chat.shows("Hello")
    state = await chat.becomes("ready")
    assert [text(message) for message in state["messages"]] == [session, "Hello"]


async def test_who_may_read_and_write_is_known_by_the_headers_of_the_transport(
    node_clients: Path, page: None, redis_url: str, upstream: Upstream, leash: Leash, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("Hel", "lo"), gate=gate)
    async with (
        Services(redis_url, leash, vendors=upstream.url, **tokens.SETTINGS) as guarded,
        guarded.origin() as origin,
        Proxy(f"redis://127.0.0.1:{urlsplit(origin).port}") as way,
        running(node_clients, "ai7", MODULE) as chats,
    ):
        stranger = await opened(chats, origin, session)
        await stranger.send(session)
        assert (await stranger.state())["status"] == "error"
        headers = {"Authorization": f"Bearer {tokens.token('somebody')}"}
        chat = await opened(chats, f"http://127.0.0.1:{way.port}", session, headers=headers)
        await chat.ask(session)
        await chat.shows("Hel")
        way.cut()
        gate.release()
        await chat.shows("Hello")
        assert (await chat.becomes("ready")).get("error") is None


async def test_the_credentials_of_the_transport_go_with_every_request(
    chats: Chats, way: Proxy, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("Hel", "lo", "!"), gate=gate)
    chat = await opened(chats, f"http://127.0.0.1:{way.port}", session, credentials="include")
    await chat.ask(session)
    await chat.shows("Hel")
    way.cut()
    gate.release()
    await chat.shows("Hello")
    await chat.call("stop")
    await chat.becomes("ready")

    async def seen() -> list[Any]:
        requests = [each for each in await chats.do("requests") if each["path"].startswith("/api/chat")]
        return requests if requests[-1]["path"].endswith(f"{session}/stop") else []

    asked = await until(seen, 20)
    assert {"POST", "GET"} == {each["method"] for each in asked[-3:]}
    assert {each["credentials"] for each in asked[-3:]} == {"include"}


async def test_a_stop_stops_the_answer_and_the_next_question_waits_for_that(
    chats: Chats, front: str, services: Services, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("Hel", "lo"), gate=gate)
    upstream.prompts["And then?"] = Script(text=("Then.",))
    chat = await opened(chats, front, session)
    await chat.ask(session)
    await chat.shows("Hel")
    await chat.call("stop")
    await chat.send("And then?")
    assert (await chat.state())["status"] == "ready"
    assert [text(message) for message in await chat.messages()] == [session, "Hel", "And then?", "Then."]
    assert await statuses(services, session) == ["completed", "stopped"]


async def test_who_resumes_twice_stops_nothing(
    chats: Chats, front: str, services: Services, upstream: Upstream, session: str
) -> None:
    # It takes longer than the fetch waits with a stop.
    upstream.prompts[session] = Script(text=("Hel", "lo", ", ", "you", "!"), delay_s=0.2)
    await services.start(sessionId=session, prompt=session, provider="openai")
    chat = await opened(chats, front, session)
    for _ in range(3):
        await chat.begin("resumeStream")
    await chat.shows("Hello, you!")
    await chat.becomes("ready")
    assert await status(services, session) == "completed"


async def test_who_has_resumed_may_stop(
    chats: Chats, front: str, services: Services, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("Hel", "lo"), gate=asyncio.Semaphore(1))
    await services.start(sessionId=session, prompt=session, provider="openai")
    chat = await opened(chats, front, session)
    await chat.begin("resumeStream")
    await chat.shows("Hel")
    await chat.call("stop")

    async def stopped() -> bool:
        return await status(services, session) == "stopped"

    await until(stopped, 20)


async def test_a_tab_that_is_closed_stops_nothing(
    node_clients: Path, page: None, front: str, services: Services, upstream: Upstream, session: str
) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("Hel", "lo"), gate=gate)
    async with running(node_clients, "ai7", MODULE) as tab:
        chat = await opened(tab, front, session)
        await chat.ask(session)
        await chat.shows("Hel")
    gate.release()

    async def completed() -> bool:
        return await status(services, session) == "completed"

    await until(completed, 20)


async def test_an_answer_that_is_begun_anew_errs_and_is_whole_when_it_is_resumed(
    chats: Chats, front: str, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    await writer.say("Hel")
    chat = await opened(chats, front, session)
    await chat.begin("resumeStream")
    await chat.shows("Hel")
    await writer.take_over()
    await writer.say("Guten Tag")
    state = await chat.becomes("error")
    assert state["finishes"][-1]["isDisconnect"] is False
    await chat.begin("resumeStream")
    await chat.shows("Guten Tag")
    await writer.end()
    state = await chat.becomes("ready")
    assert [text(message) for message in state["messages"]] == ["Guten Tag"]
