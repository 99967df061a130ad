"""Requests for responses: what they become, and what is refused, by the name of what is wrong."""

from typing import Any

import pytest

from services.generate_stream import reading
from services.generate_stream.bodies import StartBody
from services.generate_stream.dialects import responses_body
from shared.http import ApiError

USER = {"role": "user", "content": "Hello?"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "sun"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
ANSWER = {
    "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
    "content": [{"type": "output_text", "text": "It is ", "annotations": []}, {"type": "refusal", "refusal": "no."}],
}  # fmt: skip
TOOL = {"type": "function", "name": "weather", "description": "How it is.", "parameters": {"type": "object"}}
MODE = {"type": "json_object"}
SCHEMA = {"type": "json_schema", "name": "city", "schema": {"enum": [None]}}
PREVIOUS = {"previous_response_id": "resp_my_session_4"}


def start(**body: Any) -> dict[str, Any]:
    """What StartBody gets, and takes."""
    parsed = responses_body.parse(body).start
    reading.validate(parsed, StartBody, 1000)
    return parsed


def message(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"input": "Hello?"}, {"prompt": "Hello?"}),
        ({"input": [USER]}, {"prompt": "Hello?"}),
        ({"input": [{**USER, "content": [{"type": "input_text", "text": "Hi"}]}]}, {"prompt": "Hi"}),
        (
            {"input": [message("developer", "Be brief."), USER]},
            {"messages": [message("system", "Be brief."), message("user", "Hello?")]},
        ),
        (
            {"input": [USER, THOUGHT, ANSWER, USER]},
            {"messages": [USER, message("assistant", "It is no."), USER]},
        ),
        (
            {"input": [USER, CALL, ANSWER, CALL | {"call_id": "c2"}, OUTPUT, OUTPUT | {"call_id": "c2"}]},
            {
                "messages": [
                    USER,
                    {
                        "role": "assistant",
                        "content": "It is no.",
                        "toolCalls": [{"callId": each, "name": "weather", "arguments": "{}"} for each in ("c1", "c2")],
                    },
                    {"role": "tool", "callId": "c1", "content": "sun"},
                    {"role": "tool", "callId": "c2", "content": "sun"},
                ]
            },
        ),
        (
            {"input": [OUTPUT], **PREVIOUS},
            {"toolResults": [{"callId": "c1", "content": "sun"}], "sessionId": "my_session", "after": 4},
        ),
        ({"input": [USER, USER], **PREVIOUS}, {"prompt": "Hello?\n\nHello?", "sessionId": "my_session", "after": 4}),
        (
            {"input": "?", "instructions": "Be.", "max_output_tokens": 9, "temperature": 0, "top_p": 0.5},
            {"prompt": "?", "system": "Be.", "maxTokens": 9, "temperature": 0, "topP": 0.5},
        ),
        (
            {"input": "?", "tools": [TOOL], "tool_choice": {"type": "function", "name": "weather"}},
            {
                "prompt": "?",
                "tools": [{name: TOOL[name] for name in ("name", "description", "parameters")}],
                "toolChoice": {"name": "weather"},
            },
        ),
        (
            {"input": "?", "tools": [{"type": "function", "name": "f", "strict": True}], "parallel_tool_calls": False},
            {"prompt": "?", "tools": [{"name": "f", "strict": True}], "parallelToolCalls": False},
        ),
        ({"input": "?", "text": {"format": MODE}}, {"prompt": "?", "format": MODE}),
        ({"input": "?", "text": {"format": SCHEMA | {"strict": None}}}, {"prompt": "?", "format": SCHEMA}),
        ({"input": "?", "metadata": {"a": "b"}}, {"prompt": "?", "metadata": {"a": "b"}}),
        # What changes no answer is left unread.
        (
            {"input": "?", "store": False, "user": "u", "tools": [],
             "text": {"format": {"type": "text"}},
             "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"}, "truncation": "auto"},
            {"prompt": "?"},
        ),
    ],
)  # fmt: skip
def test_a_request_in_the_words_of_a_start(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert start(**body) == expected


def test_its_own_answer_says_the_format_again() -> None:
    assert responses_body.parse({"input": "?", "text": {"format": SCHEMA}}).echo["text"] == {
        "format": SCHEMA | {"description": None, "strict": False}
    }
    assert "text" not in responses_body.parse({"input": "?", "text": {"format": {"type": "text"}}}).echo


UNSUPPORTED, INVALID = "unsupported_parameter", "invalid_value"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ([], INVALID, "body"),
        ({}, INVALID, "input"),
        ({"input": 7}, INVALID, "input"),
        ({"input": []}, INVALID, "input"),
        ({"input": ["Hello?"]}, INVALID, "input[0]"),
        ({"input": [{"role": "critic", "content": "?"}]}, INVALID, "input[0].role"),
        ({"input": [{"role": "user"}]}, INVALID, "input[0].content"),
        ({"input": [USER, {**CALL, "name": 7}]}, INVALID, "input[1].name"),
        ({"input": [USER, {"type": "item_reference", "id": "msg_1"}]}, UNSUPPORTED, "input[1]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, UNSUPPORTED, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": ["text"]}]}]}, UNSUPPORTED, "input[0].content[0]"),
        ({"input": [ANSWER, USER], **PREVIOUS}, UNSUPPORTED, "input"),
        ({"input": "?", "stream": "yes"}, INVALID, "stream"),
        ({"input": "?", "background": 1}, INVALID, "background"),
        ({"input": "?", "model": 7}, INVALID, "model"),
        ({"input": "?", "previous_response_id": "resp_1"}, "previous_response_not_found", "previous_response_id"),
        ({"input": "?", "text": {"format": {"type": "grammar"}}}, UNSUPPORTED, "text.format"),
        ({"input": "?", "text": {"format": "json"}}, INVALID, "text.format"),
        ({"input": "?", "text": "json"}, INVALID, "text"),
        ({"input": "?", "tools": [{"type": "web_search"}]}, UNSUPPORTED, "tools[0]"),
        ({"input": "?", "tools": "weather"}, INVALID, "tools"),
        ({"input": "?", "tools": [TOOL], "tool_choice": {"type": "mcp"}}, UNSUPPORTED, "tool_choice"),
        ({"input": "?", "include": ["message.output_text.logprobs"]}, UNSUPPORTED, "include"),
        ({"input": "?", "include": 7}, INVALID, "include"),
        (
            {"input": "?", "stream_options": {"include_obfuscation": True}},
            UNSUPPORTED,
            "stream_options.include_obfuscation",
        ),
        ({"input": "?", "conversation": "conv_1"}, UNSUPPORTED, "conversation"),
        ({"input": "?", "top_logprobs": 3}, UNSUPPORTED, "top_logprobs"),
    ],
)
def test_what_is_refused_is_named(body: Any, code: str, param: str) -> None:
    with pytest.raises(ApiError) as refused:
        responses_body.parse(body)
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, code, param)
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ("maxTokens: Too much.", ("max_output_tokens: Too much.", "max_output_tokens")),
        ("messages.0.content: No.", ("input.0.content: No.", "input")),
        ("format.json_schema.name: No.", ("text.format.json_schema.name: No.", "text.format")),
        ("Give one.", ("Give one.", None)),
    ],
)
def test_refusals_of_a_start_in_its_words(ours: str, expected: tuple[str, str | None]) -> None:
    assert responses_body.theirs(ours) == expected
