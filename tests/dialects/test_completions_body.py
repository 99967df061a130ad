"""Requests of Chat Completions: what they mean here, and what is refused rather than left out."""

from typing import Any

import pytest

from services.generate_stream.bodies import StartBody
from services.generate_stream.dialects import completions_body
from services.generate_stream.dialects.completions_refusals import in_their_words
from shared.http import ApiError

HI = {"role": "user", "content": "Hi."}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}}}
STRICT = {"type": "function", "function": {"name": "look", "strict": True}}
SCHEMA = {"name": "city", "schema": {"enum": [None]}, "strict": True}


def start(*messages: Any, **more: Any) -> StartBody:
    """The native body that a request becomes."""
    parsed = completions_body.parse({"messages": list(messages) or [HI], **more})
    return completions_body.start_body(parsed, "openai", "m", 10_000)


def shown(body: StartBody) -> dict[str, Any]:
    return body.model_dump(exclude_none=True, exclude={"provider", "model", "messages"}, by_alias=True)


def test_a_conversation() -> None:
    body = start(
        {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}]},
        {"role": "user", "content": "Hi.", "name": "me"},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
        {"role": "tool", "content": "", "tool_call_id": "call_1"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": " ", "reasoning_content": "hm"},
        {"role": "system", "content": ""},
        {"role": "user", "content": [{"type": "text", "text": "And?"}]},
    )
    assert body.messages
    assert [message.model_dump(exclude_none=True) for message in body.messages] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "", "toolCalls": [{"callId": "call_1", "name": "look", "arguments": "{}"}]},
        {"role": "tool", "content": "", "callId": "call_1"},
        {"role": "assistant", "content": "No."},
        {"role": "user", "content": "And?"},
    ]
    assert shown(body) == {"stream": False}


@pytest.mark.parametrize(
    ("asked", "means"),
    [
        ({"max_tokens": 5, "temperature": 1, "top_p": 0.5}, {"maxTokens": 5, "temperature": 1, "topP": 0.5}),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"maxTokens": 6}),
        ({"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
        ({"stop": "END"}, {"stop": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"stop": []}, {}),
        ({"tools": [TOOL], "tool_choice": "required"}, {"tools": [TOOL["function"]], "toolChoice": "required"}),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "look"}}},
         {"tools": [TOOL["function"]], "toolChoice": {"name": "look"}}),
        ({"tools": [], "tool_choice": "none", "parallel_tool_calls": False}, {}),
        ({"tools": [STRICT], "parallel_tool_calls": False},
         {"tools": [{"name": "look", "parameters": {}, "strict": True}], "parallelToolCalls": False}),
        ({"response_format": {"type": "json_object"}}, {"format": {"type": "json_object"}}),
        ({"response_format": {"type": "json_schema", "json_schema": SCHEMA | {"description": None}}},
         {"format": {"type": "json_schema", **SCHEMA}}),
        ({"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}, {"stream": True}),
        ({"n": 1, "response_format": {"type": "text"}, "logprobs": False, "presence_penalty": 0.0, "logit_bias": {}},
         {}),
        ({"seed": 1, "user": "me", "metadata": {}, "store": True, "reasoning_effort": "low", "unheard_of": 1}, {}),
        (dict.fromkeys(["stop", "tools", "temperature", "n", "stream", "stream_options", "audio"]), {}),
    ],
)  # fmt: skip
def test_what_is_asked_for(asked: dict[str, Any], means: dict[str, Any]) -> None:
    assert shown(start(**asked)) == {"stream": False, **means}


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"presence_penalty": 0.1}, "presence_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"functions": [{"name": "look"}]}, "functions"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages.0.content"),
        ({"messages": [HI, {"role": "assistant", "function_call": {}}, HI]}, "messages.1.function_call"),
    ],
)
def test_what_would_be_left_out_is_refused_by_name(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as refused:
        completions_body.parse({"messages": [HI], **asked})
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, "unsupported_parameter", param)


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ([], 400, "invalid_json"),
        ({}, 400, "invalid_request"),
        ({"messages": []}, 400, "invalid_field"),
        ({"messages": "Hi."}, 400, "invalid_field"),
        ({"messages": ["Hi."]}, 400, "invalid_field"),
        ({"messages": [{"role": "function", "content": "x"}]}, 400, "invalid_field"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": 1}]}, 400, "invalid_field"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "invalid_conversation"),
        ({"messages": [{"role": "user", "content": []}]}, 400, "invalid_conversation"),
        ({"messages": [{"role": "system", "content": "x"}]}, 400, "invalid_conversation"),
        ({"messages": [HI, {"role": "assistant", "content": "x"}]}, 400, "invalid_conversation"),
        ({"messages": [HI], "temperature": 2.1}, 400, "invalid_field"),
        ({"messages": [HI], "temperature": "1"}, 400, "invalid_field"),
        ({"messages": [HI], "max_tokens": 0}, 400, "invalid_field"),
        ({"messages": [HI], "stream": 1}, 400, "invalid_field"),
        ({"messages": [HI], "stop": ["1", "2", "3", "4", "5"]}, 400, "invalid_field"),
        ({"messages": [HI], "tools": [{"type": "function", "function": {"name": "no such name"}}]}, 400,
         "invalid_field"),
        ({"messages": [HI], "model": ""}, 400, "invalid_field"),
        ({"messages": [HI], "response_format": "json"}, 400, "invalid_field"),
        ({"messages": [HI], "response_format": {"type": "json_schema"}}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "content": "x" * 10_001}]}, 413, "prompt_too_large"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(document: Any, status: int, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        completions_body.start_body(completions_body.parse(document), "openai", "m", 10_000)
    told = in_their_words(refused.value)
    assert (told.status, told.code) == (status, code)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1."),
        ({"messages": []}, "messages: List should have at least 1 item after validation, not 0."),
        ({"stop": ["x"] * 5}, "stop: List should have at most 4 items after validation, not 5."),
        ({"stop": ["x", 1]}, "stop.1: Input should be a valid string."),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]},
         "messages.0.content.0.text: this is missing."),
        ({"messages": [HI, {"role": "tool", "content": "x"}]}, "messages.1.tool_call_id: this is missing."),
        ({"messages": [{"role": "secret", "content": "x"}]},
         "messages.0.role: It takes 'system', 'developer', 'user', 'assistant', 'tool'."),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema: this is missing."),
        ({"response_format": {"type": "json_schema", "json_schema": SCHEMA | {"name": "a b"}}},
         "response_format.json_schema.name: It takes 1 to 64 letters, digits, _ and -."),
        ({"tool_choice": "some"}, "tool_choice: Input should be 'auto', 'none' or 'required'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_as_the_client_wrote_it(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiError) as refused:
        completions_body.parse({"messages": [HI], **asked})
    assert (refused.value.message, refused.value.param) == (said, said.partition(":")[0])
