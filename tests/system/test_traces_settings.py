"""The settings of traces: content on request, the SDK's own variables; a collector in trouble harms nobody."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from tests.fakes.collector import Collector, collecting
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.ports import free_port
from tests.processes import Services
from tests.system.traced import CAPTURE, CLIENT, CLIENT_TRACE, Traced, traced
from tests.viewing import Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

GENERATION, GET = "generation", "GET /api/consume-stream"


@pytest.fixture(scope="module")
async def telling(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Traced]:
    """A house that tells all, and gives up what it lost."""
    async with traced(own_redis, leash, upstream, **{CAPTURE: "SPAN_ONLY"}, REJOIN_ON_LOST_PRODUCER="fail") as running:
        yield running


async def ask(caller: Caller, prompt: str, **more: Any) -> None:
    """Ask as a client that is traced itself."""
    body = {"sessionId": caller.session, "prompt": prompt, "provider": "openai"} | more
    response = await caller.post("/api/generate-stream", body, traceparent=CLIENT)
    assert response.status_code == 202, response.text


async def read_whole(services: Services, session: str) -> str:
    """Ask and read to the end, as without traces."""
    await services.start(sessionId=session, prompt=session, provider="openai")
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    return viewer.text


async def test_content_is_there_when_it_is_asked_for(
    telling: Traced, own_client: Any, upstream: Upstream, session: str
) -> None:
    upstream.prompts["And now?"] = Script(thinking=("Hm.",))
    caller = Caller(telling.pair.generate, own_client, session)
    await ask(caller, "What?", model="gpt-any")
    await caller.ended()
    await ask(caller, "And now?", model="gpt-other", system="Be brief.")
    [chat] = await telling.collector.has(session, "chat gpt-other")
    said = {
        name: json.loads(chat.attributes[f"gen_ai.{name}"])
        for name in ("input.messages", "output.messages", "system_instructions")
    }
    answer = {"type": "text", "content": "Hello, wörld 🌊!"}
    assert said == {
        "input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "What?"}]},
            {"role": "assistant", "parts": [answer]},
            {"role": "user", "parts": [{"type": "text", "content": "And now?"}]},
        ],
        "output.messages": [
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "Hm."}, answer], "finish_reason": "stop"}
        ],
        "system_instructions": [{"type": "text", "content": "Be brief."}],
    }


async def test_an_answer_that_nobody_runs_again_has_its_end_told(
    telling: Traced, own_client: Any, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(gate=(gate := Gate()))
    caller = Caller(telling.pair.generate, own_client, session)
    await ask(caller, session)
    await gate.reached_within(5)
    await telling.pair.generate.kill()
    assert (await caller.ended())["code"] == "producer_lost"
    [end] = await telling.collector.has(session, GENERATION)
    assert (end.trace, end.failed, end.attributes["error.type"]) == (CLIENT_TRACE, True, "producer_lost")


async def test_the_variables_of_the_sdk_are_heeded(
    redis_url: str, upstream: Upstream, leash: Leash, session: str
) -> None:
    async with collecting() as collector:
        environ = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/some/where",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20abc,x-project=rejoin",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SERVICE_NAME": "chat-of-acme",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        async with Services(redis_url, leash, vendors=upstream.url, **environ) as services:
            assert await read_whole(services, session)
            [span] = await collector.has(session, GENERATION)
    assert span.service == "chat-of-acme"
    sent = collector.headers[0]
    assert (sent[":path"], sent["authorization"], sent["x-project"]) == ("/some/where", "Basic abc", "rejoin")


async def test_a_sampler_that_takes_nothing_has_nothing_sent(
    redis_url: str, upstream: Upstream, leash: Leash, session: str
) -> None:
    async with collecting() as collector:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER": "always_off"}
        async with Services(redis_url, leash, vendors=upstream.url, **environ) as services:
            assert await read_whole(services, session)
            # An end sends all there is.
            assert (await services.generate.stop(), await services.consume.stop()) == (0, 0)
    assert collector.headers == []


async def down(collector: Collector) -> str:
    """Nobody is there."""
    return f"http://127.0.0.1:{free_port()}"


async def stalled(collector: Collector) -> str:
    """Somebody is there who never answers."""
    collector.stalls = True
    return collector.url


@pytest.mark.parametrize("trouble", [down, stalled])
async def test_a_collector_in_trouble_harms_no_answer_and_holds_up_no_end(
    redis_url: str, upstream: Upstream, leash: Leash, session: str, trouble: Any
) -> None:
    upstream.prompts[session] = Script(text=tuple("word " for _ in range(200)), delay_s=0.001)
    async with collecting() as collector:
        # So small that all of it is full at once.
        small = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_BSP_MAX_QUEUE_SIZE": "4", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2"}
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": await trouble(collector)} | small
        async with Services(redis_url, leash, vendors=upstream.url, **environ) as services:
            for turn in range(4):
                upstream.prompts[f"{session}-{turn}"] = upstream.prompts[session]
                began = time.monotonic()
                assert await read_whole(services, f"{session}-{turn}") == "word " * 200
                assert time.monotonic() - began < 3
            began = time.monotonic()
            codes = await asyncio.gather(*(service.stop() for service in (services.generate, services.consume)))
            # An ended answer is kept for 3 s, the collector may take 3 s more.
            assert (codes, time.monotonic() - began < 9) == ([0, 0], True)
            assert "Traceback" not in services.generate.log + services.consume.log


async def test_without_a_collector_nothing_of_it_is_loaded(
    redis_url: str, upstream: Upstream, leash: Leash, session: str
) -> None:
    # Python itself writes down each module that it loads.
    loaded = re.compile(
        r"import time:.*\| +(opentelemetry\.(?:sdk|exporter|proto)|google\.protobuf|requests)$", re.MULTILINE
    )
    seen: list[tuple[set[str], set[str]]] = []
    async with collecting() as collector:
        for environ in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}):
            settings = {"PYTHONPROFILEIMPORTTIME": "1"} | environ
            # That with a collector it is loaded shows at the start already, and without the vendors' SDKs.
            vendors = "" if environ else upstream.url
            async with Services(redis_url, leash, vendors=vendors, **settings) as services:
                assert environ or await read_whole(services, session)
                logs = services.generate.log, services.consume.log
            assert all("| shared.tracing" in re.sub(" +", " ", log) for log in logs)
            seen.append((set(loaded.findall(logs[0])), set(loaded.findall(logs[1]))))
    without, with_one = seen
    assert without == (set(), set())
    assert all({"opentelemetry.sdk", "opentelemetry.exporter"} <= each for each in with_one)
