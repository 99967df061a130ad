"""Idempotency-Key: however often a start is sent, on whichever replica, it begins one generation."""

import asyncio
from typing import Any

import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate

pytestmark = pytest.mark.anyio


async def test_a_repeated_start_is_the_same_generation_from_its_beginning_to_long_after_its_end(
    upstream: Upstream, caller: Caller, elsewhere: Caller, session: str
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    first = await caller.ask("my key", prompt=session)
    assert first.status_code == 202
    while_it_runs = [await each.ask("my key", prompt=session) for each in (caller, elsewhere)]
    gate.let_out(100)
    await caller.ended(1)
    after_its_end = await elsewhere.ask("my key", prompt=session)
    assert await caller.start("another key", prompt="Hello?") == 2
    await caller.ended(2)
    upstream.prompts[f"{session} third"] = Script(gate=Gate())
    assert await caller.start(prompt=f"{session} third") == 3
    while_another_runs = await caller.ask("my key", prompt=session)
    for again in (*while_it_runs, after_its_end, while_another_runs):
        assert (again.status_code, again.json()) == (202, first.json())
    assert await elsewhere.start("another key", prompt="Hello?") == 2
    assert len(await caller.started()) == 3
    await caller.stop()


async def test_a_key_with_another_body_is_refused(upstream: Upstream, caller: Caller, session: str) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start("k", prompt=session)
    others: list[dict[str, Any]] = [
        {"prompt": "Other?"},
        {"prompt": session, "temperature": 1},
        {"prompt": session, "provider": "openai"},
    ]
    while_it_runs = [await caller.ask("k", **body) for body in others]
    gate.let_out(100)
    await caller.ended()
    after_its_end = [await caller.ask("k", **body) for body in others]
    assert {told(each) for each in while_it_runs + after_its_end} == {(422, "idempotency_key_reused")}
    assert len(await caller.started()) == 1


async def test_the_order_of_names_and_the_way_of_waiting_make_no_other_body(
    upstream: Upstream, caller: Caller, session: str
) -> None:
    body: dict[str, Any] = {"prompt": session, "maxTokens": 5}
    first = await caller.ask("k", **body)
    await caller.ended()
    backwards = {"maxTokens": 5, "sessionId": session, "prompt": session}
    again = await caller.post("/api/generate-stream", backwards, **{"Idempotency-Key": "k"})
    assert (again.status_code, again.json()) == (202, first.json())
    waited = await caller.ask("k", **body, stream=False)
    assert waited.status_code == 200
    assert (waited.json()["generation"], waited.json()["text"]) == (1, "".join(Script().text))


async def test_without_a_session_the_key_decides_it_on_every_replica(caller: Caller, elsewhere: Caller) -> None:
    key = f"key of {caller.session}"
    sent = [
        await each.post("/api/generate-stream", {"prompt": "Hello?"}, **{"Idempotency-Key": said})
        for said in (key, key + "2")
        for each in (caller, elsewhere)
    ]
    assert [response.status_code for response in sent] == [202] * 4
    one, same, two, same_as_two = (response.json() for response in sent)
    assert (one, two) == (same, same_as_two)
    assert one["sessionId"] != two["sessionId"]
    assert one["generation"] == two["generation"] == 1


async def test_a_key_means_nothing_in_another_session(caller: Caller) -> None:
    await caller.start("k", prompt="Hello?")
    other = {"sessionId": f"{caller.session}0", "prompt": "Another question?"}
    response = await caller.post("/api/generate-stream", other, **{"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["generation"]) == (202, 1)


@pytest.mark.parametrize("with_session", [True, False])
async def test_the_same_start_sent_to_all_replicas_in_one_moment_is_one_generation(
    upstream: Upstream, caller: Caller, elsewhere: Caller, session: str, with_session: bool
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    body = {"prompt": session} | ({"sessionId": session} if with_session else {})
    said = await asyncio.gather(
        *(each.post("/api/generate-stream", body, **{"Idempotency-Key": session}) for each in (caller, elsewhere) * 4)
    )
    assert [response.status_code for response in said] == [202] * 8
    assert len({response.text for response in said}) == 1
    where = Caller(caller.service, caller.redis, said[0].json()["sessionId"])
    assert len(await where.started()) == 1
    gate.let_out(100)
    await where.ended()
    assert sum(request.prompt == session for request in upstream.requests) == 1


@pytest.mark.parametrize("key", ["", "k" * 129, "k\tk", "ké"])
async def test_a_bad_key_is_refused(caller: Caller, key: str) -> None:
    body = {"sessionId": caller.session, "prompt": "Hello?"}
    response = await caller.post("/api/generate-stream", body, **{"Idempotency-Key": key.encode()})
    assert told(response) == (400, "invalid_idempotency_key")
    assert await caller.started() == []


async def test_the_longest_key_is_taken(caller: Caller) -> None:
    assert await caller.start("k" * 128, prompt="Hello?") == 1
    await caller.ended()
    assert await caller.start("k" * 128, prompt="Hello?") == 1
