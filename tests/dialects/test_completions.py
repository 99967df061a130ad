"""Chat Completions by OpenAI's own Python package, unmodified, against real processes behind one origin."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import nanoid
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from shared.dialects import completion
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

MODEL = "gpt-6.1-terra"
WORDS = "Hello, wörld 🌊!"


@pytest.fixture
def prompt() -> str:
    """A question that no other test asks."""
    return f"What is {nanoid.generate()}?"


@pytest.fixture(scope="module")
async def client(front: str) -> AsyncIterator[AsyncOpenAI]:
    """The package's client, which knows nothing of us but the address."""
    async with AsyncOpenAI(base_url=f"{front}/v1", api_key="none") as client:
        yield client


def asked(prompt: str, **more: Any) -> dict[str, Any]:
    """A request's parameters."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **more}


def requests(upstream: Upstream, prompt: str) -> list[dict[str, Any]]:
    """What the vendor was asked with this question."""
    return [request.body for request in upstream.requests if request.prompt == prompt]


async def test_an_answer_in_one_piece(client: AsyncOpenAI, upstream: Upstream, prompt: str) -> None:
    upstream.prompts[prompt] = Script(thinking=("hm", "m"), finish="length")
    told = await client.chat.completions.create(**asked(prompt, max_tokens=9, temperature=1, top_p=0.5, seed=7))
    choice = told.choices[0]
    assert (told.object, told.model, choice.message.content, choice.finish_reason) == (
        "chat.completion", MODEL, WORDS, "length",
    )  # fmt: skip
    assert choice.message.model_extra == {"reasoning_content": "hmm"}
    assert told.usage
    assert (told.usage.prompt_tokens, told.usage.completion_tokens, told.usage.total_tokens) == (11, 7, 18)
    [body] = requests(upstream, prompt)
    assert (body["max_tokens"], body["temperature"]) == (9, 1)
    assert await client.chat.completions.retrieve(told.id) == told


async def test_a_stream_with_its_counts(client: AsyncOpenAI, upstream: Upstream, prompt: str) -> None:
    upstream.prompts[prompt] = Script(thinking=("hm",))
    stream = await client.chat.completions.create(**asked(prompt), stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {
        (chunks[0].id, chunks[0].created, MODEL)
    }  # fmt: skip
    *said, end, usage = chunks
    assert said[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in said) == WORDS
    thoughts = [(chunk.choices[0].delta.model_extra or {}).get("reasoning_content", "") for chunk in said]
    assert "".join(thoughts) == "hm"
    assert end.choices[0].finish_reason == "stop"
    assert usage.choices == []
    assert usage.usage
    assert usage.usage.total_tokens == 18


async def test_the_helper_that_gathers_a_stream(front: str, prompt: str) -> None:
    def gathered() -> Any:
        with OpenAI(base_url=f"{front}/v1", api_key="none") as client:
            with client.chat.completions.stream(**asked(prompt)) as stream:
                kinds = [event.type for event in stream]
            return kinds, stream.get_final_completion()

    kinds, final = await asyncio.to_thread(gathered)
    assert kinds[-1] == "content.done"
    assert (final.choices[0].message.content, final.choices[0].finish_reason) == (WORDS, "stop")


async def test_a_conversation_is_told_to_the_model(client: AsyncOpenAI, upstream: Upstream, prompt: str) -> None:
    messages: Any = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "?"}]},
        {"role": "assistant", "content": "One."},
        {"role": "assistant", "content": None},
        {"role": "user", "content": prompt, "name": "me"},
    ]
    await client.chat.completions.create(model=MODEL, messages=messages)
    [body] = requests(upstream, prompt)
    told = [(message["role"], message["content"]) for message in body["messages"]]
    assert told == [("system", "Be brief."), ("user", "One?"), ("assistant", "One."), ("user", prompt)]


async def test_two_read_one_answer_and_a_key_finds_it_again(
    client: AsyncOpenAI, upstream: Upstream, prompt: str
) -> None:
    gate = asyncio.Semaphore(0)
    upstream.prompts[prompt] = Script(gate=gate)
    named: Any = {"extra_headers": {"Idempotency-Key": prompt}}
    first = await client.chat.completions.create(**asked(prompt, **named), stream=True)
    second = await client.chat.completions.create(**asked(prompt, **named), stream=True)
    gate.release()
    gate.release()
    assert (await anext(first)).id == (await anext(second)).id
    for _ in range(3):
        gate.release()
    assert await words(first) == await words(second) == WORDS
    whole = await client.chat.completions.create(**asked(prompt, **named))
    assert whole.choices[0].message.content == WORDS
    assert len(requests(upstream, prompt)) == 1


async def words(stream: Any) -> str:
    """All that a stream still says."""
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


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


def said(text: str) -> str:
    """The words of a whole stream."""
    frames = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    return "".join(json.loads(frame)["choices"][0]["delta"].get("content", "") for frame in frames)


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


async def test_what_is_not_offered_or_wrong_is_refused_and_begins_nothing(
    client: AsyncOpenAI, upstream: Upstream, prompt: str
) -> None:
    wrong: list[tuple[dict[str, Any], type[openai.APIStatusError], str]] = [
        ({"n": 2}, openai.BadRequestError, "unsupported_parameter"),
        ({"temperature": 3}, openai.UnprocessableEntityError, "invalid_field"),
        ({"extra_headers": {"Idempotency-Key": "é".encode("latin-1").decode("latin-1")}}, openai.BadRequestError,
         "invalid_idempotency_key"),
    ]  # fmt: skip
    for more, error, code in wrong[:2]:
        with pytest.raises(error) as raised:
            await client.chat.completions.create(**asked(prompt, **more))
        assert (raised.value.code, raised.value.type) == (code, "invalid_request_error")
    for name in ("chatcmpl-nothing", "chatcmpl-nothing-at-all-1", "cmpl-1"):
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.retrieve(name)
    assert requests(upstream, prompt) == []


async def test_the_models_that_are_configured(client: AsyncOpenAI) -> None:
    listed = {model.id: model.owned_by async for model in client.models.list()}
    assert listed["gpt-6.1-terra"] == "openai"
    assert listed["claude-sonnet-5-5"] == "anthropic"
    assert (await client.models.retrieve("gpt-6.1-terra")).owned_by == "openai"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("no/such")
