"""`stream: false`: one response with the whole answer, whoever writes it."""

import asyncio

import pytest

from shared.events import is_started
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate

pytestmark = pytest.mark.anyio


async def test_a_whole_answer_comes_in_one_response(upstream: Upstream, caller: Caller, session: str) -> None:
    upstream.prompts[session] = Script(thinking=("Hm, ", "so."))
    response = await caller.ask(prompt=session, stream=False)
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    assert response.status_code == 200
    assert response.json() == {
        "sessionId": session,
        "generation": 1,
        "status": "completed",
        "text": "Hello, wörld 🌊!",
        "reasoning": "Hm, so.",
        "usage": usage,
        "finishReason": "stop",
    }


async def test_a_stopped_answer_is_told_as_far_as_it_came(upstream: Upstream, caller: Caller, session: str) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    waiting = asyncio.create_task(caller.ask(prompt=session, stream=False))
    await gate.reached_within(5)
    gate.let_out(2)
    await caller.has_text("Hello, ")
    await caller.stop()
    response = await waiting
    said = response.json()
    assert (response.status_code, said["status"], said["text"]) == (200, "stopped", "Hello, ")
    assert (said["reasoning"], said["usage"], said["finishReason"]) == ("", None, "stopped")


async def test_a_failed_answer_is_a_bad_gateway_with_its_code(upstream: Upstream, caller: Caller, session: str) -> None:
    upstream.prompts[session] = Script(status=401)
    response = await caller.ask(prompt=session, stream=False)
    assert told(response) == (502, "provider_auth")
    assert (response.json()["sessionId"], response.json()["generation"]) == (session, 1)
    assert "sk-secret" not in response.text


async def test_another_replica_waits_as_well(
    upstream: Upstream, caller: Caller, elsewhere: Caller, session: str
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start("k", prompt=session)
    waiting = asyncio.create_task(elsewhere.ask("k", prompt=session, stream=False))
    await gate.reached_within(5)
    gate.let_out(100)
    response = await waiting
    assert (response.status_code, response.json()["text"]) == (200, "Hello, wörld 🌊!")


async def test_whoever_waits_for_a_deleted_answer_is_told_so(upstream: Upstream, caller: Caller, session: str) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    waiting = asyncio.create_task(caller.ask(prompt=session, stream=False))
    await gate.reached_within(5)
    await caller.delete()
    assert told(await waiting) == (404, "session_not_found")


async def test_a_client_that_waits_no_longer_takes_nothing_along(
    upstream: Upstream, caller: Caller, session: str
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    waiting = asyncio.create_task(caller.ask(prompt=session, stream=False))
    await gate.reached_within(5)
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.let_out(100)
    end = await caller.ended()
    assert (end["status"], await caller.text()) == ("completed", "Hello, wörld 🌊!")
    assert [is_started(fields) for _, fields in await caller.entries()].count(True) == 1
