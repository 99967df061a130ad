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

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def test_one_that_was_cut_is_read_from_its_beginning(
    front: str, client: AsyncOpenAI, upstream: Upstream, prompt: str
) -> None:
    gate = asyncio.Semaphore(2)
    upstream.prompts[prompt] = Script(gate=gate)
    async with await client.chat.completions.create(**asked(prompt), stream=True) as stream:
        name = (await anext(stream)).id
        assert await anext(stream)
    address = f"{front}/v1/chat/completions/{name}"
    async with httpx2.AsyncClient() as browser:
        refused = await browser.get(address)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "generation_running")
    for _ in range(3):
        gate.release()
    async with httpx2.AsyncClient() as browser:
        told = (await browser.get(address, params={"stream": "true"}, timeout=30)).text
        again = (await browser.get(address, params={"stream": "true"}, timeout=30)).text
    assert told.endswith("data: [DONE]\n\n")
    assert "id:" not in told.replace('"id":', "")
    assert said(told) == said(again) == WORDS


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
    async with httpx2.AsyncClient(timeout=30) as browser:
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
