"""Logs: one JSON object a line, each with its request, its session and its generation, and no word of what was said."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from deploy.leash import Leash
from services.generate_stream.bodies import StartBody
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import Service, until
from tests.system.pair import Pair
from tests.viewing import Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

MARK = "xyzzy"
"""In all that is said in these stories, by whomever."""

LOUD = {
    "REJOIN_LOG_LEVEL": "debug", "OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug", "PYTHONASYNCIODEBUG": "1",
    "REJOIN_LEASE_S": "3",
}  # fmt: skip
ID = "c0ffee-42:7"


@pytest.fixture(scope="module")
async def loud(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """A house that logs whatever it can, its vendors' SDKs too."""
    async with Pair(own_redis, leash, upstream.url, None, **LOUD) as running:
        yield running


@pytest.fixture
async def caller(loud: Pair, own_client: Any, session: str) -> AsyncIterator[Caller]:
    """A client of one of the producers."""
    yield Caller(loud.generate, own_client, session)
    await loud.mend()


def lines(service: Service) -> list[dict[str, Any]]:
    """All that a process has logged; each line must be one JSON object."""
    # The last may be half written.
    read = [json.loads(line) for line in service.log.rpartition("\n")[0].splitlines()]
    assert all(isinstance(line, dict) and line["message"] and line["time"] for line in read)
    return read


async def line(service: Service, message: str, **facts: Any) -> dict[str, Any]:
    """Wait for a line that says this and bears these facts."""

    async def there() -> dict[str, Any] | None:
        said = (each for each in lines(service) if each["message"] == message)
        return next((each for each in said if each.items() >= facts.items()), None)

    found: dict[str, Any] = await until(there, 20)
    return found


async def ask(caller: Caller, **headers: str) -> httpx2.Response:
    """Ask something that takes the session's id for its prompt."""
    body = {"sessionId": caller.session, "prompt": caller.session, "provider": "openai"}
    return await caller.post("/api/generate-stream", body, **headers)


async def test_the_id_of_a_request_is_on_its_answer_and_on_every_line_it_causes(loud: Pair, caller: Caller) -> None:
    response = await ask(caller, **{"X-Request-ID": ID})
    assert response.headers["x-request-id"] == ID
    await caller.ended()
    whose = {"request_id": ID, "session": caller.session, "generation": 1}
    await line(loud.generate, "generation started", attempt=1, provider="openai", **whose)
    over = await line(loud.generate, "generation over", attempt=1, outcome="completed", **whose)
    assert 0 <= over["ttft_ms"] <= over["duration_ms"]
    request = await line(loud.generate, "request", **whose)
    told = {name: request[name] for name in ("level", "method", "path", "status")}
    assert told == {"level": "info", "method": "POST", "path": "/api/generate-stream", "status": 202}
    assert all(each.items() >= whose.items() for each in lines(loud.generate) if caller.session in each.values())


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", '{"a":1}'])
async def test_an_id_that_is_none_is_replaced(caller: Caller, given: str) -> None:
    made = [(await ask(caller, **{"X-Request-ID": given})).headers["x-request-id"] for _ in range(2)]
    assert given not in made
    assert made[0] != made[1]
    assert all(len(each) == 21 for each in made)


async def test_an_answer_taken_over_is_still_of_the_request_that_asked(
    loud: Pair, caller: Caller, upstream: Upstream
) -> None:
    upstream.prompts[caller.session] = Script(gate=(gate := Gate()))
    await ask(caller, **{"X-Request-ID": ID})
    await gate.reached_within(5)
    upstream.prompts[caller.session] = Script()
    await loud.generate.kill()
    await caller.ended()
    whose = {"request_id": ID, "session": caller.session, "generation": 1}
    await line(loud.other, "took over", outcome="restarted", **whose)
    await line(loud.other, "generation over", attempt=2, outcome="completed", **whose)


async def test_a_viewer_is_one_line_when_it_leaves(loud: Pair, caller: Caller) -> None:
    await ask(caller)
    await Viewer(loud.consume.url, caller.session).connect()
    gone = await line(loud.consume, "request", session=caller.session)
    assert (gone["path"], gone["status"], gone["level"]) == ("/api/consume-stream", 200, "info")
    assert len([each for each in lines(loud.consume) if each.get("session") == caller.session]) == 1


async def test_a_refusal_tells_its_code_and_who_asks_all_day_is_told_of_at_debug_only(
    loud: Pair, caller: Caller
) -> None:
    refused = await caller.stop()
    found = await line(loud.generate, "request", request_id=refused.headers["x-request-id"])
    assert (found["code"], found["status"], found["session"]) == ("session_not_found", 404, caller.session)
    asked = await caller.get("/metrics")
    found = await line(loud.generate, "request", request_id=asked.headers["x-request-id"])
    assert found["level"] == "debug"


async def test_an_unexpected_failure_tells_its_request_too(loud: Pair, caller: Caller) -> None:
    # A meta that no writer of ours makes: reading the number in it fails.
    await caller.redis.hset(keys.meta(caller.session), mapping={"status": "completed", "generation": "none"})
    response = await ask(caller, **{"X-Request-ID": ID})
    assert (response.status_code, response.headers["x-request-id"]) == (503, ID)
    await line(loud.generate, "Redis refused a command", request_id=ID, session=caller.session)


async def said_badly(caller: Caller) -> None:
    """What is refused, and why, is told to the client alone."""
    prompt = {"sessionId": caller.session, "prompt": MARK}
    bodies: Sequence[dict[str, Any] | bytes] = [
        prompt | {"temperature": MARK}, prompt | {MARK: MARK}, prompt | {"messages": [{"role": MARK, "content": MARK}]},
        prompt | {"provider": MARK}, {"messages": [{"role": "user", MARK: MARK}]}, prompt | {"replaces": 7},
        b'{"prompt": "' + MARK.encode(), b'"' + MARK.encode() + b'"', MARK.encode(),
    ]  # fmt: skip
    for body in bodies:
        assert (await caller.post("/api/generate-stream", body)).status_code in (400, 422)


TROUBLE = [
    Script(text=(MARK, MARK), thinking=(MARK,)),
    Script(status=400, error=f"{MARK}_error"),
    Script(text=(MARK, MARK), finish=""),
    Script(text=(MARK, MARK), cut_at=400),
    Script(text=(MARK, MARK), inject=f"data: {{{MARK}\n\n", inject_after=1),
    Script(text=(MARK, MARK), inject=f'data: {{"choices": "{MARK}", "type": "{MARK}"}}\n\n', inject_after=1),
    Script(text=(MARK, MARK), error="overloaded_error", error_after=1),
]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_no_word_of_what_was_said_is_logged(
    loud: Pair, caller: Caller, upstream: Upstream, own_client: Any, provider: str
) -> None:
    await said_badly(caller)
    for number, script in enumerate(TROUBLE):
        each = Caller(caller.service, own_client, f"{caller.session}-{number}")
        prompt = f"{MARK} {each.session}"
        upstream.prompts[prompt] = script
        await each.start(f"key of {each.session}", prompt=prompt, provider=provider, system=MARK)
        await each.ended()
        await Viewer(loud.consume.url, each.session).connect()
        await line(loud.generate, "generation over", session=each.session)
    # And one that is taken over while it runs.
    upstream.prompts[MARK] = Script(gate=(gate := Gate()))
    await caller.start(prompt=MARK, provider=provider)
    await gate.reached_within(5)
    upstream.prompts[MARK] = Script(text=(MARK,))
    await loud.generate.kill()
    await caller.ended()
    for service in (loud.generate, loud.other, loud.consume):
        lines(service)
        assert MARK not in service.log


def test_what_is_wrong_with_a_body_is_told_without_it() -> None:
    for text in (f'{{"prompt": "{MARK}", "temperature": "{MARK}"}}', f'{{"prompt": "{MARK}'):
        with pytest.raises(ValidationError) as raised:
            StartBody.model_validate_json(text)
        assert MARK not in f"{raised.value} {raised.value!r}"


async def test_with_a_higher_level_there_is_less(
    own_redis: str, upstream: Upstream, leash: Leash, session: str
) -> None:
    async with Pair(own_redis, leash, upstream.url, None, REJOIN_LOG_LEVEL="info") as pair:
        await pair.start(sessionId=session, prompt=session, provider="openai")
        await Viewer(pair.consume.url, session).connect()
        await line(pair.generate, "generation over", session=session)
        for service in (pair.generate, pair.consume):
            assert not [each for each in lines(service) if each["level"] == "debug"]
            assert not [each for each in lines(service) if each.get("path") in ("/readyz", "/metrics")]
