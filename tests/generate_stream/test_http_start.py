"""POST /api/generate-stream: what is begun, what is refused, and what the log has of it."""

import asyncio
import re
from typing import Any

import pytest

from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import Services, until
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio


async def test_a_start_is_answered_when_it_is_in_the_log(upstream: Upstream, caller: Caller, session: str) -> None:
    upstream.prompts[session] = Script(gate=Gate())
    response = await caller.ask(prompt=session)
    entries = await caller.entries()
    assert response.status_code == 202
    assert response.headers["content-type"] == "application/json"
    url = f"/api/consume-stream?sessionId={session}"
    assert response.json() == {"sessionId": session, "generation": 1, "streamUrl": url}
    [(at, started)] = entries
    assert re.fullmatch(r"\d{13}-0", at)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", started.pop("startedAt"))
    assert started.pop("model")
    assert started == {
        "type": "metadata", "status": "started", "generation": "1", "attempt": "1", "prompt": session,
        "provider": "openai",
    }  # fmt: skip
    await caller.stop()


async def test_without_a_session_id_the_server_makes_one(caller: Caller) -> None:
    said = [await caller.post("/api/generate-stream", {"prompt": "Hello?"}) for _ in range(2)]
    ids = {response.json()["sessionId"] for response in said}
    assert len(ids) == 2
    assert all(keys.is_session(each) for each in ids)
    assert {response.json()["generation"] for response in said} == {1}


async def test_a_second_start_is_told_which_generation_runs(upstream: Upstream, caller: Caller, session: str) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    assert await caller.start(prompt="Hello?") == 1
    await caller.ended(1)
    assert await caller.start(prompt=session) == 2
    refused = await caller.ask(prompt="More?")
    assert told(refused) == (409, "generation_running")
    assert refused.json()["generation"] == 2
    gate.let_out(100)
    await caller.ended(2)
    assert await caller.start(prompt="More?") == 3


async def test_of_many_starts_in_one_moment_one_is_taken(
    upstream: Upstream, caller: Caller, elsewhere: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(gate=Gate())
    said = await asyncio.gather(*(each.ask(prompt=session) for each in (caller, elsewhere) * 4))
    assert sorted(response.status_code for response in said) == [202] + [409] * 7
    assert [told(response) for response in said if response.status_code != 202] == [(409, "generation_running")] * 7
    assert len(await caller.started()) == 1
    await caller.stop()
    await caller.ended()


async def test_an_ended_generation_leaves_the_index_of_running_ones(
    redis_client: Any, upstream: Upstream, caller: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(gate=(gate := Gate()))
    await caller.start(prompt=session)
    assert await redis_client.zscore(keys.RUNNING, session)
    gate.let_out(100)
    await caller.ended()

    async def left() -> bool:
        return await redis_client.zscore(keys.RUNNING, session) is None

    await until(left, 5)
    meta = await redis_client.hgetall(keys.meta(session))
    assert (meta["generation"], meta["status"], meta["attempt"]) == ("1", "completed", "1")


async def test_what_was_replaced_is_named(caller: Caller) -> None:
    await caller.start(prompt="One?")
    await caller.ended(1)
    assert told(await caller.ask(prompt="Two?", replaces=2)) == (422, "replaces_unknown")
    assert await caller.start(prompt="Two?", replaces=1) == 2
    assert [started.get("replaces") for started in await caller.started()] == [None, "1"]


async def test_any_text_goes_through_whole(upstream: Upstream, caller: Caller, session: str) -> None:
    said = r"\u0000 \ud83c\udf0a \ud800 \r\n" + "🌊 e\u0301\u2028"
    heard = "\x00 🌊 \ufffd \r\n" + "🌊 e\u0301\u2028"
    body = f'{{"sessionId":"{session}","prompt":"{session}{said}"}}'.encode()
    upstream.prompts[session + heard] = Script(
        text=("a\x00\r\n", "\ud83c", "\udf0a", "\u2028", "\ud800", "z", "\udc00")
    )
    response = await caller.post("/api/generate-stream", body)
    assert response.status_code == 202, response.text
    await caller.ended()
    assert session + heard in {request.prompt for request in upstream.requests}
    assert (await caller.started())[0]["prompt"] == session + heard
    assert await caller.text() == "a\x00\r\n🌊\u2028\ufffdz\ufffd"


async def test_words_reach_a_viewer_through_the_url_of_the_start(
    services: Services, upstream: Upstream, caller: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(text=("\x00", "🌊"), thinking=("Hm.",))
    await caller.start(prompt=session)
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    assert (viewer.text, viewer.reasoning) == ("\x00🌊", "Hm.")


async def test_the_models_are_named_with_the_default(caller: Caller) -> None:
    models = await caller.get("/api/models")
    assert models.status_code == 200
    offered = models.json()["providers"]
    assert [each["name"] for each in offered] == ["openai", "anthropic", "gemini", "demo"]
    assert all(each["models"] and set(each) == {"name", "models"} for each in offered)
    assert models.json()["default"] == {"provider": "openai", "model": offered[0]["models"][0]}
