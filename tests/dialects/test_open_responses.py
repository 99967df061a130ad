"""The cases of Open Responses' own compliance suite (openresponses.org), by their names there.

Passed are all but `image-input`: no provider is given pictures here, so it is refused by name. Of the later editions,
`file_search` and `web_search` are refused in the same way: they are tools of a server's own. What a response must hold
is checked as its schema `ResponseResource` says, and each event by the official client's types.
"""

import json
from typing import Any

import httpx2
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
NUMBER, WHOLE, TEXT, FLAG = (int, float), int, str, bool
REQUIRED: dict[str, Any] = {
    "id": TEXT, "object": TEXT, "created_at": WHOLE, "completed_at": (int, type(None)), "status": TEXT,
    "incomplete_details": (dict, type(None)), "model": TEXT, "previous_response_id": (str, type(None)),
    "instructions": (str, type(None)), "output": list, "error": (dict, type(None)), "tools": list,
    "tool_choice": (str, dict), "truncation": TEXT, "parallel_tool_calls": FLAG, "text": dict, "top_p": NUMBER,
    "presence_penalty": NUMBER, "frequency_penalty": NUMBER, "top_logprobs": WHOLE, "temperature": NUMBER,
    "reasoning": (dict, type(None)), "user": (str, type(None)), "usage": (dict, type(None)),
    "max_output_tokens": (int, type(None)), "max_tool_calls": (int, type(None)), "store": FLAG, "background": FLAG,
    "service_tier": TEXT, "metadata": dict, "safety_identifier": (str, type(None)),
    "prompt_cache_key": (str, type(None)),
}  # fmt: skip
"""Of a ResponseResource: what must be there, and of what type."""
ITEMS: dict[str, set[str]] = {
    "message": {"id", "status", "role", "content"},
    "function_call": {"id", "call_id", "name", "arguments", "status"},
    "reasoning": {"id", "summary"},
}

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "How the weather is.",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}
CALL = ("call_1", "get_weather", ('{"location":', ' "San Francisco, CA"}'))


def said(role: str, content: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "basic-response": ({"input": [said("user", "Say hello in three words.")]}, "message"),
    "streaming-response": ({"input": [said("user", "Count to five.")], "stream": True}, "message"),
    "system-prompt": ({"input": [said("system", "You are a pirate."), said("user", "Say hello.")]}, "message"),
    "tool-calling": ({"input": [said("user", "The weather, by a call?")], "tools": [TOOL]}, "function_call"),
    "tool-calling-streaming": (
        {"input": [said("user", "The weather, by a call?")], "tools": [TOOL], "stream": True},
        "function_call",
    ),
    "multi-turn": (
        {"input": [said("user", "I am Alice."), said("assistant", "Hello Alice!"), said("user", "Who am I?")]},
        "message",
    ),
}


def check(response: dict[str, Any]) -> None:
    """Whether it is a ResponseResource."""
    assert not [name for name, kind in REQUIRED.items() if not isinstance(response[name], kind)]
    for item in response["output"]:
        assert ITEMS[item["type"]] <= item.keys()
        for part in item.get("content", []):
            assert part.keys() >= {"type", "text", "annotations", "logprobs"}


def events_of(text: str) -> list[dict[str, Any]]:
    """Events, each under the name that its data has."""
    events = []
    for frame in text.split("\n\n")[:-1]:
        lines = [line for line in frame.split("\n") if not line.startswith(":")]
        assert len(lines) == 2
        events.append(json.loads(lines[1].removeprefix("data: ")))
        assert lines[0] == f"event: {events[-1]['type']}"
        EVENT.validate_python(events[-1])
    return events


@pytest.mark.parametrize("case", CASES)
async def test_a_case(front: str, upstream: Upstream, case: str) -> None:
    asked, kind = CASES[case]
    upstream.prompts["The weather, by a call?"] = Script(text=(), calls=(CALL,))
    async with httpx2.AsyncClient(follow_redirects=True, trust_env=False, timeout=30, verify=False) as client:
        answer = await client.post(f"{front}/v1/responses", json={"model": "gpt-5", **asked})
    assert answer.status_code == 200, answer.text
    if asked.get("stream"):
        events = events_of(answer.text)
        assert events[-1]["type"] == "response.completed"
        for response in (event["response"] for event in events if "response" in event):
            check(response)
        response, told = events[-1]["response"], {event["type"] for event in events}
        if kind == "function_call":
            assert told >= {"response.function_call_arguments.delta", "response.function_call_arguments.done"}
        assert {"response.output_item.added", "response.output_item.done"} <= told
    else:
        response = answer.json()
        check(response)
    assert response["status"] == "completed"
    assert kind in [item["type"] for item in response["output"]]


@pytest.mark.parametrize(
    ("case", "asked"),
    [
        (
            "image-input",
            {"input": [said("user", [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}])]},
        ),
        ("web-search", {"input": "?", "tools": [{"type": "web_search"}]}),
        ("file-search", {"input": "?", "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}),
    ],
)
async def test_a_case_that_is_refused_by_name(front: str, case: str, asked: dict[str, Any]) -> None:
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.post(f"{front}/v1/responses", json={"model": "gpt-5", **asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_parameter"), case
