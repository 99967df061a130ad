"""The demo: quick to begin, honest about itself, and the same each time."""

import asyncio
import json
from typing import Any

import pytest

from services.generate_stream.providers import Delta, Message, Named, Reasoning, Tool, ToolCall
from services.generate_stream.providers.demo import Demo, answer
from tests.fakes.heard import hear, request

pytestmark = pytest.mark.anyio


async def test_the_stream_says_exactly_the_answer_after_a_thought() -> None:
    asked = request("What is a log?")
    parts = [part async for part in Demo(pace_s=0).stream(asked)]
    kinds = [type(part) for part in parts]
    heard = await hear(Demo(pace_s=0), asked)
    assert heard.text == answer(asked)
    assert heard.thinking
    assert kinds.index(Delta) == kinds.count(Reasoning) > 1, "the thinking comes first, and not in one piece"
    assert kinds.count(Delta) > 50


async def test_the_answer_begins_at_once_and_takes_a_few_seconds() -> None:
    clock = asyncio.get_running_loop().time
    began, first = clock(), None
    async for part in Demo().stream(request()):
        if first is None and isinstance(part, Delta):
            first = clock() - began
    assert first is not None
    assert first < 1
    assert 1.5 < clock() - began < 8


async def test_the_bill_says_that_it_is_an_estimate() -> None:
    heard = await hear(Demo(pace_s=0), request("one two three", system="four five"))
    assert heard.done
    assert heard.done.finish_reason == "stop"
    assert heard.done.usage
    assert heard.done.usage["prompt_tokens"] == 5
    assert heard.done.usage["total_tokens"] == 5 + heard.done.usage["completion_tokens"]
    assert "not tokens" in heard.done.usage["estimated"]


def test_the_answer_says_that_it_is_the_demo_and_repeats_the_question() -> None:
    said = answer(request("  What\n{is} a log? "))
    assert "demo" in said.lower()
    assert "\n> What {is} a log?\n" in said


def test_a_long_question_is_repeated_in_short() -> None:
    assert f"\n> {'x' * 120} …\n" in answer(request("x" * 100_000))


def test_the_answer_counts_the_turns_of_the_conversation() -> None:
    messages = [Message("user", "One?"), Message("assistant", "1"), Message("user", "Two?")]
    assert "turn 2 " in answer(request(messages=messages))
    assert "\n> Two?\n" in answer(request(messages=messages))
    assert "turn 1 " in answer(request(messages=[]))


WEATHER = Tool("get_weather", None, {"type": "object", "properties": {"city": {"type": "string"}}})
GET, ADD = Tool("get", None, {}), Tool("add", None, {"properties": {"a": {"type": "integer"}, "b": {"type": "number"}}})


@pytest.mark.parametrize(
    ("question", "choice", "wanted"),
    [
        ("Use get_weather for Oslo.", None, ("get_weather", {"city": "Oslo"})),
        ("Get weather for New York!", "auto", ("get_weather", {"city": "New York"})),
        ("Please get it.", None, ("get", {})),
        ("Nothing.", None, None),
        ("get_weather", "none", None),
        ("Hello?", "required", ("get_weather", {"city": "Hello"})),
        ("Hello 12.5?", Named("add"), ("add", {"a": 12, "b": 12.5})),
        ("Hello?", Named("unknown"), None),
    ],
)
async def test_a_tool_is_called_that_the_question_names_or_that_must_be(
    question: str, choice: Any, wanted: Any
) -> None:
    heard = await hear(Demo(pace_s=0), request(question, tools=[WEATHER, GET, ADD], tool_choice=choice))
    assert [(call.name, json.loads(call.arguments)) for call in heard.calls] == ([wanted] if wanted else [])
    assert heard.done
    assert heard.done.finish_reason == ("tool_calls" if wanted else "stop")
    assert "demo" in heard.text


async def test_what_a_tool_gave_back_is_spoken_of() -> None:
    calls = ToolCall("c1", "get_weather", "{}"), ToolCall("c2", "add", "{}")
    results = [Message("tool", "7 degrees", call_id="c1"), Message("tool", "", call_id="c2")]
    messages = [Message("user", "get_weather and add"), Message("assistant", "", calls), *results]
    heard = await hear(Demo(pace_s=0), request(messages=messages, tools=[WEATHER, ADD], tool_choice="required"))
    assert heard.calls == []
    assert "- `get_weather` says: 7 degrees\n- `add` says: (nothing)\n" in heard.text


SCHEMAS: list[Any] = [
    ({"type": "string", "enum": ["C", "F"]}, "C"), ({"enum": ["C", "Oslo"]}, "Oslo"), ({"const": 3}, 3),
    ({"default": [1]}, [1]), ({"type": "boolean"}, True), ({"type": ["null", "string"]}, None),
    ({"type": "array", "items": {"type": "string"}}, ["Oslo"]), ({"type": {}}, "Oslo"), (7, "Oslo"),
    ({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b", ["c"]]}, {"b": "Oslo"}),
    ({"type": "object", "properties": 7}, {}), ({"type": []}, "Oslo"), ({"type": "integer"}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value"), SCHEMAS)
async def test_arguments_fit_the_schema_whatever_it_is(schema: Any, value: Any) -> None:
    tool = Tool("look_at", None, {"properties": {"it": schema}})
    heard = await hear(Demo(pace_s=0), request("Look at Oslo.", tools=[tool]))
    assert json.loads(heard.calls[0].arguments) == {"it": value}
