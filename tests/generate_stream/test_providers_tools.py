"""Tools by the vendors' SDKs, unmodified: what is asked with them, what is heard of them, what goes wrong with them."""

import json
from typing import Any

import pytest

from services.generate_stream.providers import Message, Named, Tool, ToolCall
from tests.fakes.heard import hear, request
from tests.fakes.script import Script
from tests.generate_stream.asked import PROVIDERS, asked

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [Tool("get_weather", "Outside.", SCHEMA), Tool("now", None, {})]
OSLO, NOW = ("id1", "get_weather", ('{"ci', 'ty": "Oslo"', "}")), ("id2", "now", ())
CALLS = [ToolCall("id1", "get_weather", '{"city": "Oslo"}'), ToolCall("id2", "now", "{}")]
THINKING = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize("vendor", PROVIDERS)
@pytest.mark.parametrize("text", [(), ("Let me ", "see.")])
@pytest.mark.parametrize("split", [None, 7])
async def test_calls_are_heard_whole_after_the_words(vendor: str, text: tuple[str, ...], split: int | None) -> None:
    script = Script(text=text, thinking=("Hm.",), calls=(OSLO, NOW), split=split)
    async with asked(vendor, script) as (provider, _):
        heard = await hear(provider, request(tools=TOOLS))
    assert (heard.text, heard.thinking, heard.calls) == ("".join(text), "Hm.", CALLS)
    assert heard.done
    assert heard.done.finish_reason == {"openai": "tool_calls", "anthropic": "tool_use"}[vendor]
    assert heard.size == sum(len(part) for call in (OSLO, NOW) for part in (*call[:2], *call[2]))


@pytest.mark.parametrize("calls_in", ["whole", "bare"])
async def test_calls_of_compatible_servers_are_heard(calls_in: str) -> None:
    async with asked("openai", Script(calls=(OSLO, OSLO), calls_in=calls_in)) as (provider, _):
        heard = await hear(provider)
    assert [call[1:] for call in heard.calls] == [CALLS[0][1:]] * 2
    assert len({call.call_id for call in heard.calls}) == 2


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_an_answer_that_breaks_off_within_a_call_gives_none(vendor: str) -> None:
    async with asked(vendor, Script(calls=(("id1", "now", ('{"half',)),), finish="")) as (provider, fake):
        heard = await hear(provider)
        fake.default = Script(calls=(OSLO,), finish="stop")
        assert (await hear(provider)).calls == CALLS[:1]
    assert heard.error
    assert heard.error.code == "provider_cut"


DELTAS: list[Any] = [
    [None], ["no"], [{}], [{"index": "x", "function": None}], [{"index": 0, "id": 7, "function": {"name": 7}}], "no", 7,
    [{"index": 0, "function": {"arguments": {"city": "Oslo"}}}], [{"function": {"name": ["x"], "arguments": ["x"]}}],
]  # fmt: skip


@pytest.mark.parametrize("delta", DELTAS)
async def test_whatever_a_compatible_server_takes_for_a_call_the_answer_has_its_end(delta: Any) -> None:
    choice = {"index": 0, "delta": {"tool_calls": delta}, "finish_reason": None}
    async with asked("openai", Script(inject=f"data: {json.dumps({'choices': [choice]})}\n\n")) as (provider, _):
        heard = await hear(provider)
    assert heard.calls == []
    assert heard.error or heard.text == "".join(Script().text)


BLOCKS: list[Any] = [
    {"content_block": {"type": "tool_use"}}, {"content_block": {"type": "tool_use", "id": None, "name": 7, "input": 3}},
    {"content_block": None}, {"index": None, "content_block": {"type": "tool_use", "id": "x", "name": ""}},
]  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
async def test_whatever_stands_in_for_anthropic_takes_for_a_call_the_answer_has_its_end(block: Any) -> None:
    event = json.dumps({"type": "content_block_start", "index": 9, **block})
    async with asked("anthropic", Script(inject=f"event: content_block_start\ndata: {event}\n\n")) as (provider, _):
        heard = await hear(provider)
    assert heard.calls == []
    assert heard.error or heard.text == "".join(Script().text)


async def test_a_whole_input_at_once_is_taken_from_those_who_stand_in_for_anthropic() -> None:
    block = {"type": "tool_use", "id": "id1", "name": "get_weather", "input": {"city": "Oslo"}}
    start = json.dumps({"type": "content_block_start", "index": 9, "content_block": block})
    async with asked("anthropic", Script(inject=f"event: content_block_start\ndata: {start}\n\n")) as (provider, _):
        assert (await hear(provider)).calls == CALLS[:1]


CONVERSATION = [
    Message("user", "Weather?"),
    Message("assistant", "\n", (*CALLS, ToolCall("functions.now:0", "now", "no JSON"))),
    Message("tool", "7", call_id="id1"), Message("tool", "noon", call_id="id2"),
    Message("tool", "", call_id="functions.now:0"),
    Message("user", "And now?"),
]  # fmt: skip


async def test_openai_is_asked_with_tools_calls_and_results() -> None:
    knobs: dict[str, Any] = {"tool_choice": Named("now"), "top_p": 0.5, "stop": ["END"]}
    async with asked("openai", Script()) as (provider, fake):
        await hear(provider, request(messages=CONVERSATION, tools=TOOLS, **knobs))
        for choice in ("auto", "none", "required"):
            await hear(provider, request(tools=TOOLS, tool_choice=choice))
            assert fake.requests[-1].body["tool_choice"] == choice
        await hear(provider, request(tool_choice="auto"))
        assert not {"tools", "tool_choice"} & fake.requests[-1].body.keys()
    body = fake.requests[0].body
    named = {"name": "get_weather", "description": "Outside.", "parameters": SCHEMA}
    assert body["tools"] == [{"type": "function", "function": named}, {"type": "function", "function": {"name": "now"}}]
    assert (body["tool_choice"], body["top_p"]) == ({"type": "function", "function": {"name": "now"}}, 0.5)
    assert body["stop"] == ["END"]
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in CONVERSATION[1].tool_calls
    ]
    assert body["messages"][1:4] == [
        {"role": "assistant", "content": "\n", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "id1", "content": "7"},
        {"role": "tool", "tool_call_id": "id2", "content": "noon"},
    ]


async def test_anthropic_is_asked_with_tools_calls_and_results_in_blocks() -> None:
    knobs: dict[str, Any] = {"tool_choice": Named("now"), "top_p": 0.5, "stop": ["END"]}
    async with asked("anthropic", Script()) as (provider, fake):
        await hear(provider, request(messages=CONVERSATION, tools=TOOLS, **knobs))
        for choice, wanted in {"auto": "auto", "none": "none", "required": "any"}.items():
            await hear(provider, request(tools=TOOLS, tool_choice=choice))
            assert fake.requests[-1].body["tool_choice"] == {"type": wanted}
        await hear(provider, request(tool_choice="auto", top_p=0.5, model="claude-sonnet-4.5"))
        assert not {"tools", "tool_choice", "thinking"} & fake.requests[-1].body.keys()
        assert fake.requests[-1].body["top_p"] == 0.5
    body = fake.requests[0].body
    named = {"name": "get_weather", "description": "Outside.", "input_schema": SCHEMA}
    assert body["tools"] == [named, {"name": "now", "input_schema": {"type": "object"}}]
    assert (body["tool_choice"], body["stop_sequences"]) == ({"type": "tool", "name": "now"}, ["END"])
    assert (body["thinking"], "top_p" in body) == (THINKING, False)
    question, assistant, results, again = body["messages"]
    made = assistant["content"][2]["id"]
    assert made.removeprefix("call_").isalnum()
    assert assistant["content"] == [
        {"type": "tool_use", "id": "id1", "name": "get_weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "id2", "name": "now", "input": {}},
        {"type": "tool_use", "id": made, "name": "now", "input": {"arguments": "no JSON"}},
    ]
    assert (results["role"], [block["tool_use_id"] for block in results["content"]]) == ("user", ["id1", "id2", made])
    assert (question["content"], again["content"]) == ("Weather?", "And now?")


def test_what_is_asked_counts_calls_results_and_tools() -> None:
    plain = request(messages=[Message("user", "é")])
    assert plain.size == 2
    assert request(messages=CONVERSATION).size == sum(message.size for message in CONVERSATION) > 50
    assert request(messages=[Message("user", "é")], tools=TOOLS).size > 2 + len(json.dumps(SCHEMA))
