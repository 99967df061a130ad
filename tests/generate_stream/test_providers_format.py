"""What is asked of the form of calls and answers, as the vendors' SDKs send it, and as the demo does it."""

import json
from typing import Any

import jsonschema
import pytest

from services.generate_stream.providers import JsonSchema, Tool
from services.generate_stream.providers.demo import Demo
from tests.fakes.heard import hear, request
from tests.fakes.script import Script
from tests.generate_stream.asked import asked

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

RATED: dict[str, Any] = {"type": "object", "properties": {"stars": {"type": "integer", "maximum": 5}}}
RATING = JsonSchema("rating", "How good.", RATED, strict=True)
HELD = {
    "type": "object",
    "properties": {"stars": {"type": "integer", "description": "{maximum: 5}"}},
    "additionalProperties": False,
}
"""The same as Anthropic takes it where it is held to."""
TOOLS = [Tool("rate", None, RATED, strict=True), Tool("look", None, RATED, strict=False), Tool("now", None, {})]


async def sent(vendor: str, **fields: Any) -> dict[str, Any]:
    """The body that the vendor gets."""
    async with asked(vendor, Script()) as (provider, fake):
        await hear(provider, request(**fields))
    return fake.requests[0].body


async def test_openai_is_told_how_strict_tools_are_and_how_many_at_once() -> None:
    body = await sent("openai", tools=TOOLS, parallel_tool_calls=False)
    assert [tool["function"].get("strict") for tool in body["tools"]] == [True, False, None]
    assert (body["tools"][0]["function"]["parameters"], body["parallel_tool_calls"]) == (RATED, False)
    # Without tools it would refuse the word.
    assert "parallel_tool_calls" not in await sent("openai", parallel_tool_calls=False)


async def test_anthropic_is_told_how_strict_tools_are_and_how_many_at_once() -> None:
    body = await sent("anthropic", tools=TOOLS, parallel_tool_calls=False)
    assert [tool.get("strict") for tool in body["tools"]] == [True, False, None]
    assert [tool["input_schema"] for tool in body["tools"]] == [HELD, RATED, {"type": "object"}]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    for choice, told in (
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ):
        body = await sent("anthropic", tools=TOOLS, tool_choice=choice, parallel_tool_calls=False)
        assert body["tool_choice"] == told
    assert "tool_choice" not in await sent("anthropic", tools=TOOLS, parallel_tool_calls=True)


async def test_each_vendor_is_told_the_format_in_its_words() -> None:
    said = {"name": "rating", "description": "How good.", "schema": RATED, "strict": True}
    assert (await sent("openai", format=RATING))["response_format"] == {"type": "json_schema", "json_schema": said}
    assert (await sent("openai", format="json_object"))["response_format"] == {"type": "json_object"}
    held = {"type": "json_schema", "schema": HELD | {"description": "How good."}}
    assert (await sent("anthropic", format=RATING))["output_config"] == {"format": held}
    for vendor in ("openai", "anthropic"):
        assert not {"response_format", "output_config"} & (await sent(vendor)).keys()


@pytest.mark.parametrize(
    "schema", [{}, {"properties": 7}, {"type": ["string", "null"]}, {"type": "object", "properties": {"a": True}}]
)
async def test_a_schema_that_the_sdk_can_not_read_goes_as_it_is(schema: dict[str, Any]) -> None:
    body = await sent("anthropic", format=JsonSchema("odd", None, schema))
    assert body["output_config"]["format"]["schema"] == schema


NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "stars": {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
        "kind": {"enum": ["inn", "café"]},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "more": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["name", "stars", "kind", "next", "more"],
    "additionalProperties": False,
}
SCHEMAS: list[dict[str, Any]] = [
    RATED,
    {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
    {"type": "array", "items": {"allOf": [{"type": "number"}], "description": "One."}},
    {"type": "object", "properties": {f"m{at}": {"type": "boolean"} for at in range(300)}, "required": ["m299", "m0"]},
]


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_the_demo_fills_a_schema_with_the_words_of_the_question(schema: dict[str, Any]) -> None:
    heard = await hear(Demo(pace_s=0), request("The café, 9 stars?", format=JsonSchema("s", None, schema)))
    jsonschema.validate(json.loads(heard.text), schema)
    assert heard.thinking


@pytest.mark.parametrize(
    "schema",
    [{}, {"$ref": 7}, {"anyOf": [7]}, {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, {"type": {}},
     {"type": "number", "minimum": float("inf")}, {"type": "integer", "minimum": 10**400, "maximum": float("nan")}],
)  # fmt: skip
async def test_whatever_stands_in_a_schema_the_demo_says_json(schema: dict[str, Any]) -> None:
    assert json.loads((await hear(Demo(pace_s=0), request(format=JsonSchema("s", None, schema)))).text) is not None


async def test_the_demo_says_in_json_that_it_is_the_demo() -> None:
    told = json.loads((await hear(Demo(pace_s=0), request("Hello?", format="json_object"))).text)
    assert told == {"demo": "No language model wrote this.", "question": "Hello?"}


def test_what_is_asked_counts_the_format() -> None:
    assert request(format=RATING).size > request().size + len(json.dumps(RATED))
