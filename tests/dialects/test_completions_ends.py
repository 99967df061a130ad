"""How completions end: whole after a cut, stopped, failed, taken over; by OpenAI's own Python package, unmodified."""

import asyncio
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from shared.dialects import completion
from tests.consume_stream.outside_writer import OutsideWriter
from tests.dialects.completing import WORDS, asked, requests, said, words
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.proxy import Proxy

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def test_one_that_was_cut_is_asked_for_again_by_its_key_and_costs_nothing_more(
    front: str, upstream: Upstream, prompt: str
) -> None:
    gate = asyncio.Semaphore(2)
    upstream.prompts[prompt] = Script(gate=gate)
    wire = Proxy(front.replace("http:", "redis:"))
    key: Any = {"extra_headers": {"Idempotency-Key": prompt}}
    async with wire, AsyncOpenAI(base_url=f"http://127.0.0.1:{wire.port}/v1", api_key="none") as client:
        stream = await client.chat.completions.create(**asked(prompt, **key), stream=True)
        name = (await anext(stream)).id
        assert await anext(stream)
        wire.cut()
        with pytest.raises((openai.APIConnectionError, httpx2.TransportError)):
            await words(stream)
        stream = await client.chat.completions.create(**asked(prompt, **key), stream=True)
        for _ in range(3):
            gate.release()
        assert await words(stream) == WORDS
    assert len(requests(upstream, prompt)) == 1
    async with httpx2.AsyncClient(base_url=front, timeout=30, verify=False) as browser:
        whole = await browser.get(f"/v1/chat/completions/{name}?stream=true")
    assert said(whole.text) == WORDS
    assert whole.text.endswith("data: [DONE]\n\n")
    assert "\nid:" not in whole.text
    assert whole.headers["content-type"].startswith("text/event-stream")


async def test_one_that_runs_is_no_object_yet_and_a_refused_reading_asks_no_model_again(
    front: str, upstream: Upstream, client: AsyncOpenAI, prompt: str
) -> None:
    upstream.prompts[prompt] = Script(gate=(gate := asyncio.Semaphore(1)))
    stream = await client.chat.completions.create(**asked(prompt), stream=True)
    name = (await anext(stream)).id
    async with httpx2.AsyncClient(base_url=front, timeout=30, verify=False) as browser:
        refused = await browser.get(f"/v1/chat/completions/{name}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "generation_running")
        for mark, retried in (({"begun": "true"}, "false"), ({}, None)):
            missing = f"/v1/chat/completions/{name}1"
            refused = await browser.get(missing, params={"stream": "true"} | mark)
            assert (refused.status_code, refused.headers.get("x-should-retry")) == (404, retried)
        refused = await browser.get(f"/v1/chat/completions/{name}?stream=yes")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_flag")
    for _ in range(4):
        gate.release()
    assert await words(stream) == WORDS


async def test_one_that_was_stopped_ends_well(
    services: Services, client: AsyncOpenAI, upstream: Upstream, prompt: str
) -> None:
    upstream.prompts[prompt] = Script(text=("Half", "."), stall_after=1)
    stream = await client.chat.completions.create(**asked(prompt), stream=True)
    chunks = [await anext(stream), await anext(stream)]
    place = completion.place_of(chunks[0].id)
    assert place
    await services.stop(place[0])
    chunks += [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "stop"
    whole = await client.chat.completions.retrieve(chunks[0].id)
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("Half", "stop")


@pytest.mark.parametrize(
    ("script", "error", "code", "times"),
    [
        (Script(status=401), openai.InternalServerError, "provider_auth", 1),
        (Script(status=400), openai.BadRequestError, "provider_refused", 1),
        (Script(text=("Half",), finish=""), openai.InternalServerError, "provider_cut", 1),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_a_failure_is_raised_and_not_paid_for_again(
    client: AsyncOpenAI, upstream: Upstream, prompt: str, script: Script, error: type[Exception], code: str, times: int
) -> None:
    upstream.prompts[prompt] = script
    with pytest.raises(error) as raised:
        await client.chat.completions.create(**asked(prompt))
    assert isinstance(raised.value, openai.APIStatusError)
    assert raised.value.code == code
    assert len(requests(upstream, prompt)) == times
    stream = await client.chat.completions.create(**asked(prompt), stream=True)
    with pytest.raises(openai.APIError) as broken:
        await words(stream)
    assert broken.value.code == code


async def test_one_that_costs_nothing_is_tried_again_by_the_client(upstream: Upstream, front: str, prompt: str) -> None:
    upstream.prompts[prompt] = Script(status=429)
    async with AsyncOpenAI(base_url=f"{front}/v1", api_key="none", max_retries=1) as client:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**asked(prompt))
    one = len(requests(upstream, prompt))
    async with AsyncOpenAI(base_url=f"{front}/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**asked(prompt))
    assert one == 2 * (len(requests(upstream, prompt)) - one)


async def test_a_takeover_after_words_cuts_and_the_next_reader_has_the_last_attempt(
    client: AsyncOpenAI, redis_client: Any, front: str, session: str
) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    await writer.say("Half")
    address = f"{front}/v1/chat/completions/{completion.id_of(session, 1)}?stream=true"
    async with httpx2.AsyncClient(timeout=30, verify=False) as browser:
        async with browser.stream("GET", address) as response:
            heard = response.aiter_text()
            while "Half" not in await anext(heard):
                pass
            await writer.take_over()
            with pytest.raises(httpx2.RemoteProtocolError):
                [text async for text in heard]
        await writer.say("Whole.")
        await writer.end()
        assert said((await browser.get(address)).text) == "Whole."
