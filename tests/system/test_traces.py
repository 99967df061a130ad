"""Traces: one from the request to the last append, by the names that tools look for, and no word of what was said."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from tests.consume_stream.outside_writer import OutsideWriter
from tests.fakes.collector import Span
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import until
from tests.system.traced import CLIENT, CLIENT_SPAN, CLIENT_TRACE, Traced, traced
from tests.viewing import Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

POST, GET, GENERATION = "POST /api/generate-stream", "GET /api/consume-stream", "generation"


@pytest.fixture(scope="module")
async def house(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Traced]:
    """As most would have it: no content."""
    async with traced(own_redis, leash, upstream, REJOIN_DRAIN_S="0.1") as running:
        yield running


@pytest.fixture
async def caller(house: Traced, own_client: Any, session: str) -> AsyncIterator[Caller]:
    """A client of one of the producers."""
    yield Caller(house.pair.generate, own_client, session)
    await house.pair.mend()


async def ask(caller: Caller, prompt: str = "", **more: Any) -> None:
    """Ask as a client that is traced itself."""
    body = {"sessionId": caller.session, "prompt": prompt or caller.session, "provider": "openai"} | more
    response = await caller.post("/api/generate-stream", body, traceparent=CLIENT)
    assert response.status_code == 202, response.text


async def test_one_trace_goes_from_the_request_to_the_last_append(
    house: Traced, caller: Caller, upstream: Upstream
) -> None:
    upstream.prompts[caller.session] = Script(delay_s=0.05)
    await ask(caller, model="gpt-any", maxTokens=77, temperature=0.5)
    post, generation, chat = await house.collector.has(caller.session, POST, GENERATION, "chat gpt-any")
    assert {span.trace for span in (post, generation, chat)} == {CLIENT_TRACE}
    assert (post.parent, generation.parent, chat.parent) == (CLIENT_SPAN, post.id, generation.id)
    assert (post.kind, generation.kind, chat.kind) == ("SERVER", "INTERNAL", "CLIENT")
    assert {span.service for span in (post, generation, chat)} == {"generate-stream"}
    # The request is over before the answer is; the generation when its last entry is in the log.
    assert post.ended_ns < chat.ended_ns <= generation.ended_ns
    assert not any(span.failed for span in (post, generation, chat))


async def test_the_call_bears_the_names_of_the_conventions(house: Traced, caller: Caller, upstream: Upstream) -> None:
    upstream.prompts[caller.session] = Script(delay_s=0.05)
    await ask(caller, model="gpt-any", maxTokens=77, temperature=0.5)
    post, generation, chat = await house.collector.has(caller.session, POST, GENERATION, "chat gpt-any")
    first_s = chat.attributes.pop("gen_ai.response.time_to_first_chunk")
    assert 0.04 < first_s < (chat.ended_ns - chat.began_ns) / 1e9
    whose = {"gen_ai.conversation.id": caller.session, "session.id": caller.session}
    assert chat.attributes == whose | {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-any",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 77,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
    }
    assert generation.attributes.pop("rejoin.entries") >= 3
    counted = {"rejoin.generation": 1, "rejoin.attempt": 1, "rejoin.outcome": "completed"}
    assert generation.attributes == whose | counted | {"rejoin.content_bytes": len("Hello, wörld 🌊!".encode())}
    assert post.attributes == whose | {
        "http.request.method": "POST",
        "http.route": "/api/generate-stream",
        "http.response.status_code": 202,
        "url.path": "/api/generate-stream",
        "url.scheme": "http",
    }


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
async def test_nothing_of_a_trace_and_nothing_said_goes_where_it_should_not(
    house: Traced, caller: Caller, upstream: Upstream, provider: str
) -> None:
    upstream.prompts[caller.session] = Script(text=("secret-answer",))
    await ask(caller, provider=provider, system="secret-system")
    await house.collector.has(caller.session, GENERATION)
    [asked] = [request for request in upstream.requests if request.prompt == caller.session]
    assert not {"traceparent", "tracestate", "baggage", "x-request-id"} & asked.headers.keys()
    # The SDKs make no spans of their own: a tool would count the tokens twice.
    chats = [span for span in house.collector.spans if span.name.startswith("chat ")]
    assert len([span for span in chats if span.trace == CLIENT_TRACE]) == len(chats)
    mine = [span for span in house.collector.of(caller.session) if span.kind == "CLIENT"]
    assert [span.attributes["gen_ai.provider.name"] for span in mine] == [
        {"gemini": "gcp.gemini"}.get(provider, provider)
    ]
    assert mine[0].attributes["gen_ai.usage.output_tokens"] == 7
    assert not any(b"secret-" in body for body in house.collector.bodies)


async def test_a_failure_is_told_by_its_code(house: Traced, caller: Caller, upstream: Upstream) -> None:
    upstream.prompts[caller.session] = Script(status=529, error="overloaded_error")
    await ask(caller, model="gpt-any")
    post, generation, chat = await house.collector.has(caller.session, POST, GENERATION, "chat gpt-any")
    assert not post.failed
    for span in (generation, chat):
        assert span.failed
        assert span.attributes["error.type"] == "provider_overloaded"
        assert span.status == "The provider is overloaded right now."
    assert "gen_ai.usage.output_tokens" not in chat.attributes


async def test_a_refused_request_is_no_error_of_the_server_and_an_unknown_path_no_name(
    house: Traced, caller: Caller
) -> None:
    response = await caller.post("/api/stop-stream", {"sessionId": caller.session}, traceparent=CLIENT)
    assert response.status_code == 404
    assert (await caller.get(f"/{caller.session}")).status_code == 404
    [stop] = await house.collector.has(caller.session, "POST /api/stop-stream")
    assert (stop.attributes["http.response.status_code"], stop.failed) == (404, False)
    assert not any(caller.session in span.name for span in house.collector.spans)


async def test_a_route_is_named_without_what_stands_in_it(house: Traced, own_client: Any) -> None:
    # Of all ids the one that looks like the path.
    reader = Caller(house.pair.consume, own_client, "sessions")
    assert (await reader.get("/api/sessions/sessions")).status_code == 404
    [span] = await house.collector.has("sessions", "GET /api/sessions/{session}")
    assert span.attributes["http.route"] == "/api/sessions/{session}"


async def test_a_stop_is_an_event(house: Traced, caller: Caller, upstream: Upstream) -> None:
    upstream.prompts[caller.session] = Script(gate=(gate := Gate()))
    await ask(caller, model="gpt-any")
    await gate.reached_within(5)
    gate.let_out(1)
    await caller.has_text("Hel")
    await caller.stop()
    generation, chat = await house.collector.has(caller.session, GENERATION, "chat gpt-any")
    assert "stop" in generation.events
    assert (generation.attributes["rejoin.outcome"], generation.failed, chat.failed) == ("stopped", False, False)
    assert "gen_ai.response.finish_reasons" not in chat.attributes


async def test_a_takeover_goes_on_in_the_same_trace(house: Traced, caller: Caller, upstream: Upstream) -> None:
    upstream.prompts[caller.session] = Script(gate=(gate := Gate()))
    await ask(caller)
    await gate.reached_within(5)
    [post] = await house.collector.has(caller.session, POST)
    upstream.prompts[caller.session] = Script()
    await house.pair.generate.kill()
    assert (await caller.ended())["status"] == "completed"
    [second] = await house.collector.has(caller.session, GENERATION)
    assert (second.trace, second.parent) == (CLIENT_TRACE, post.id)
    assert second.attributes["rejoin.attempt"] == 2
    assert second.events == {"takeover": {"rejoin.losses": 1}}


async def test_a_release_is_an_event_and_the_next_attempt_in_the_same_trace(
    house: Traced, caller: Caller, upstream: Upstream
) -> None:
    upstream.prompts[caller.session] = Script(gate=(gate := Gate()))
    await ask(caller)
    await gate.reached_within(5)
    upstream.prompts[caller.session] = Script()
    # What is told at the very end is not lost.
    assert await house.pair.generate.stop() == 0
    assert (await caller.ended())["status"] == "completed"

    async def both() -> list[Span]:
        found = [span for span in house.collector.of(caller.session) if span.name == GENERATION]
        return found if len(found) == 2 else []

    first, second = await until(both, 20)
    assert (first.attributes["rejoin.outcome"], first.failed, "release" in first.events) == ("released", False, True)
    assert (second.trace, second.parent, second.attributes["rejoin.attempt"]) == (first.trace, first.parent, 2)
    assert second.events == {"takeover": {"rejoin.losses": 0}}


@pytest.mark.parametrize("follow", ["answer", "session"])
async def test_a_viewer_points_to_the_request_whose_answer_it_reads(house: Traced, caller: Caller, follow: str) -> None:
    await ask(caller)
    viewer = Viewer(house.pair.consume.url, caller.session, follow)
    await viewer.connect(lambda frame: frame.event.get("status") == "completed")
    post, get = await house.collector.has(caller.session, POST, GET)
    assert get.links == [(post.trace, post.id)]
    assert (get.trace == post.trace, get.parent, get.kind, get.service) == (False, "", "SERVER", "consume-stream")


async def test_a_viewer_of_another_writers_log_points_to_nothing(house: Traced, own_client: Any, session: str) -> None:
    writer = OutsideWriter(own_client, session)
    await writer.answer("Hello.")
    await Viewer(house.pair.consume.url, session).connect()
    [get] = await house.collector.has(session, GET)
    assert get.links == []


async def test_a_client_that_is_not_sampled_is_not_traced(house: Traced, caller: Caller) -> None:
    body = {"sessionId": caller.session, "prompt": "Hello?"}
    await caller.post("/api/generate-stream", body, traceparent=CLIENT.removesuffix("01") + "00")
    await caller.ended()
    later = Caller(caller.service, caller.redis, caller.session + "-later")
    await ask(later)
    await house.collector.has(later.session, GENERATION)
    assert house.collector.of(caller.session) == []
