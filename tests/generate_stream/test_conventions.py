"""A model's call as attributes: the vendors' own counts under one set of names, and content that is bounded."""

import json
from typing import Any

import pytest

from services.generate_stream import conventions
from services.generate_stream.conventions import CONTENT_MAX_CHARACTERS
from services.generate_stream.draft import Draft
from services.generate_stream.providers import ChatRequest, Message, ToolCall

OPENAI = {
    "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 80}, "completion_tokens_details": {"reasoning_tokens": 30},
}  # fmt: skip
ANTHROPIC = {
    "input_tokens": 10, "output_tokens": 50, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 10,
    "output_tokens_details": {"thinking_tokens": 30}, "service_tier": "standard",
}  # fmt: skip
COMMON = {"input_tokens": 100, "output_tokens": 50, "cache_read.input_tokens": 80, "reasoning.output_tokens": 30}


def named(counts: dict[str, int]) -> dict[str, int]:
    return {f"gen_ai.usage.{name}": count for name, count in counts.items()}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (OPENAI, COMMON),
        (ANTHROPIC, COMMON | {"cache_write.input_tokens": 10}),
        ({"prompt_tokens": 3, "prompt_tokens_details": None, "completion_tokens": "many"}, {"input_tokens": 3}),
        ({"input_tokens": True, "output_tokens": 1.5, "prompt_tokens_details": [1]}, {}),
        ({}, {}),
    ],
)
def test_the_counts_of_all_vendors_have_the_same_names(said: dict[str, Any], wanted: dict[str, int]) -> None:
    assert conventions.usage(said) == named(wanted)


def test_an_answer_that_did_not_end_tells_when_it_began_and_no_more() -> None:
    draft = Draft(1, {"type": "metadata"}, 1000)
    assert conventions.answered(draft, 0) == {}
    draft.add("chunk", "Hel", 250)
    assert conventions.answered(draft, 50) == {"gen_ai.response.time_to_first_chunk": 0.2}


def test_of_a_long_conversation_the_newest_words_are_told_and_of_a_long_answer_the_first() -> None:
    most = CONTENT_MAX_CHARACTERS
    draft = Draft(1, {"type": "metadata"}, 10 * most)
    draft.add("chunk", "a" * most + "b", 1)
    draft.end("completed", 2, finish_reason="stop")
    earlier = [Message("user", "old"), Message("assistant", "c" * most)]
    told = conventions.content(ChatRequest("m", [*earlier, Message("user", "new")]), draft)
    asked, answered = (json.loads(told[f"gen_ai.{name}.messages"]) for name in ("input", "output"))
    assert [message["parts"][0]["content"] for message in asked] == ["c" * (most - 3), "new"]
    assert answered[0]["parts"] == [{"type": "text", "content": "a" * most}]
    assert sum(len(value) for value in told.values()) < 2 * most + 1000


def test_calls_of_tools_and_what_these_gave_back_are_parts() -> None:
    draft = Draft(1, {"type": "metadata"}, 10**6)
    draft.add("chunk", "See:", 1)
    draft.call("c2", "f", "x" * CONTENT_MAX_CHARACTERS + "y", 2)
    draft.call("c3", "f", "{}", 2)
    draft.end("completed", 3, finish_reason="tool_calls")
    asked = [Message("assistant", "", (ToolCall("c1", "f", "{}"),)), Message("tool", "7", call_id="c1")]
    told = conventions.content(ChatRequest("m", asked, top_p=0.5, stop=["END"]), draft)
    assert json.loads(told["gen_ai.input.messages"]) == [
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": "{}"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "7"}]},
    ]
    words, call = json.loads(told["gen_ai.output.messages"])[0]["parts"]
    assert words == {"type": "text", "content": "See:"}
    assert call == {"type": "tool_call", "id": "c2", "name": "f", "arguments": "x" * CONTENT_MAX_CHARACTERS}
    knobs = conventions.asked("openai", ChatRequest("m", asked, top_p=0.5, stop=["END"]))
    assert (knobs["gen_ai.request.top_p"], knobs["gen_ai.request.stop_sequences"]) == (0.5, ["END"])
