"""Chat Completions by OpenAI's own packages, unmodified, against real processes behind one origin."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.access.conftest import guarded as guarded
from tests.dialects.completing import MODEL, WORDS, asked, requests, words
from tests.dialects.recipes import Recipe, run
from tests.fakes.issuer import by_secret
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


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


async def test_what_is_not_offered_or_wrong_is_refused_and_begins_nothing(
    client: AsyncOpenAI, upstream: Upstream, prompt: str
) -> None:
    for more, error, code, param in (
        ({"n": 2}, openai.BadRequestError, "unsupported_parameter", "n"),
        ({"temperature": 3}, openai.BadRequestError, "invalid_field", "temperature"),
        ({"max_tokens": 0}, openai.BadRequestError, "invalid_field", "max_tokens"),
        ({"extra_headers": {"Idempotency-Key": "k" * 129}}, openai.BadRequestError, "invalid_idempotency_key", None),
    ):
        with pytest.raises(error) as raised:
            await client.chat.completions.create(**asked(prompt, **more))
        told = raised.value
        assert isinstance(told, openai.APIStatusError)
        assert (told.code, told.type, told.param) == (code, "invalid_request_error", param)
    for name in ("chatcmpl-nothing", "chatcmpl-nothing-at-all-1", "cmpl-1"):
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.retrieve(name)
    assert requests(upstream, prompt) == []


async def test_the_loop_of_tools(client: AsyncOpenAI, upstream: Upstream, prompt: str) -> None:
    upstream.prompts[prompt] = Script(text=("Let me see.",), calls=(("call_1", "weather", ('{"city"', ': "Rome"}')),))
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    messages: Any = asked(prompt)["messages"]
    first = await client.chat.completions.create(model=MODEL, messages=messages, tools=[tool], tool_choice="required")
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls or []
    assert call.type == "function"
    assert (call.id, call.function.name, json.loads(call.function.arguments)) == ("call_1", "weather", {"city": "Rome"})
    stream = await client.chat.completions.create(model=MODEL, messages=messages, tools=[tool], stream=True)
    told = [chunk.choices[0] async for chunk in stream]
    [delta] = [each for choice in told for each in choice.delta.tool_calls or ()]
    assert (delta.index, delta.id, told[-1].finish_reason) == (0, "call_1", "tool_calls")
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "Sun."}]
    del upstream.prompts[prompt]
    last = await client.chat.completions.create(model=MODEL, messages=messages, tools=[tool])
    assert last.choices[0].message.content == WORDS
    body = requests(upstream, prompt)[-1]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool"]
    assert body["messages"][1]["tool_calls"][0]["function"]["name"] == "weather"


async def test_the_api_key_is_the_token(guarded: Services, prompt: str) -> None:
    async with guarded.origin() as front:
        mine, theirs, nobody = (
            AsyncOpenAI(base_url=f"{front}/v1", api_key=key)
            for key in (by_secret(sub="me"), by_secret(sub="them"), "none")
        )
        whole = await mine.chat.completions.create(**asked(prompt))
        assert await words(await mine.chat.completions.create(**asked(prompt), stream=True)) == WORDS
        assert (await mine.chat.completions.retrieve(whole.id)).choices[0].message.content == WORDS
        with pytest.raises(openai.NotFoundError):
            await theirs.chat.completions.retrieve(whole.id)
        for asking in (nobody.models.list(), nobody.chat.completions.create(**asked(prompt))):
            with pytest.raises(openai.AuthenticationError):
                await asking
        for each in (mine, theirs, nobody):
            await each.close()


IN_NODE = """
import OpenAI from "openai";
const [baseURL, content] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "none" });
const asked = { model: "gpt-6.1-terra", messages: [{ role: "user", content }] };
const told = {};
told.whole = (await client.chat.completions.create(asked)).choices[0].message.content;
told.streamed = "";
const streaming = { ...asked, stream: true, stream_options: { include_usage: true } };
const stream = await client.chat.completions.create(streaming);
for await (const { choices, usage } of stream) {
  told.streamed += choices[0]?.delta.content ?? "";
  told.total = usage?.total_tokens;
}
const runner = client.chat.completions.stream(asked);
told.final = (await runner.finalChatCompletion()).choices[0].finish_reason;
told.models = (await client.models.list()).data.length > 2;
await client.chat.completions.create({ ...asked, n: 2 }).catch((error) => {
  told.refused = [error.constructor.name, error.status, error.code, error.param];
});
console.log(JSON.stringify(told));
"""


async def test_the_package_for_node(front: str, node_clients: Path, tmp_path: Path, prompt: str) -> None:
    script = Recipe("in-node", "js", IN_NODE)
    printed = await run(script, front, "", tmp_path, node_clients, f"{front}/v1", prompt)
    assert json.loads(printed) == {
        "whole": WORDS, "streamed": WORDS, "total": 18, "final": "stop", "models": True,
        "refused": ["BadRequestError", 400, "unsupported_parameter", "n"],
    }  # fmt: skip


async def test_the_models_that_are_configured(client: AsyncOpenAI) -> None:
    listed = {model.id: model.owned_by async for model in client.models.list()}
    assert listed["gpt-6.1-terra"] == "openai"
    assert listed["claude-sonnet-5-5"] == "anthropic"
    assert (await client.models.retrieve("gpt-6.1-terra")).owned_by == "openai"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("no/such")
