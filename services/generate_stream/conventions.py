"""The call of a model as attributes of its span, by OpenTelemetry's conventions for GenAI, the newest. Pure.

Source: https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.generate_stream.draft import Draft
from services.generate_stream.providers import ChatRequest, Message, ToolCall

Attributes = dict[str, Any]

_VENDORS = {"gemini": "gcp.gemini"}
"""Where the conventions have another name than ours."""

CONTENT_MAX_CHARACTERS = 64 * 1024
"""Of what was asked, and of what was answered, where these are captured: 2,048 spans may wait for a collector."""


def asked(provider: str, request: ChatRequest) -> Attributes:
    """Before the call: who is asked, and how."""
    vendor = _VENDORS.get(provider, provider)
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": vendor,
        # Its name until 2025, by which some still look for it.
        "gen_ai.system": vendor,
        "gen_ai.request.model": request.model,
        "gen_ai.request.stream": True,
    }
    if request.max_tokens is not None:
        attributes["gen_ai.request.max_tokens"] = request.max_tokens
    if request.temperature is not None:
        attributes["gen_ai.request.temperature"] = request.temperature
    if request.top_p is not None:
        attributes["gen_ai.request.top_p"] = request.top_p
    if request.stop:
        attributes["gen_ai.request.stop_sequences"] = request.stop
    if request.format:
        attributes["gen_ai.output.type"] = "json"
    return attributes


def answered(draft: Draft, began_ms: int) -> Attributes:
    """After it: how it ended, what it took. `began_ms` is when the call began, counted as the draft counts."""
    attributes: Attributes = {}
    if draft.first_ms is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = (draft.first_ms - began_ms) / 1000
    if draft.status != "completed":
        return attributes
    end = draft.entries[-1]
    if "finishReason" in end:
        attributes["gen_ai.response.finish_reasons"] = [end["finishReason"]]
    return attributes | usage(json.loads(end.get("usage", "{}")))


def content(request: ChatRequest, draft: Draft) -> Attributes:
    """What was said. Of a long conversation the newest words, of a long answer the first ones."""
    room = CONTENT_MAX_CHARACTERS
    told: list[dict[str, Any]] = []
    for message in reversed(request.messages):
        if room > 0:
            told.append({"role": message.role, "parts": _said(message, room)})
        room -= message.size
    words = {kind: _words(draft, kind)[:CONTENT_MAX_CHARACTERS] for kind in ("reasoning", "chunk")}
    parts = [_part("text" if kind == "chunk" else kind, text) for kind, text in words.items() if text]
    parts += _calls([_called(entry) for entry in draft.entries if entry["type"] == "tool"], CONTENT_MAX_CHARACTERS)
    finish_reason = draft.entries[-1].get("finishReason") or draft.status or "error"
    attributes = {
        "gen_ai.input.messages": json.dumps(told[::-1], ensure_ascii=False),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": parts, "finish_reason": finish_reason}], ensure_ascii=False
        ),
    }
    if request.system:
        system = [_part("text", request.system[:CONTENT_MAX_CHARACTERS])]
        attributes["gen_ai.system_instructions"] = json.dumps(system, ensure_ascii=False)
    return attributes


def _said(message: Message, room: int) -> list[dict[str, str]]:
    if message.role == "tool":
        return [{"type": "tool_call_response", "id": message.call_id, "response": message.content[:room]}]
    words = [_part("text", message.content[:room])] if message.content or not message.tool_calls else []
    return [*words, *_calls(message.tool_calls, room)]


def _calls(calls: Iterable[ToolCall], room: int) -> Iterator[dict[str, str]]:
    for call in calls:
        if room > 0:
            yield {"type": "tool_call", "id": call.call_id, "name": call.name, "arguments": call.arguments[:room]}
        room -= call.size


def _called(entry: Mapping[str, str]) -> ToolCall:
    return ToolCall(entry["callId"], entry["name"], entry["arguments"])


def _part(kind: str, text: str) -> dict[str, str]:
    return {"type": kind, "content": text}


def _words(draft: Draft, kind: str) -> str:
    return "".join(entry["content"] for entry in draft.entries if entry["type"] == kind)


def usage(said: dict[str, Any]) -> Attributes:
    """A vendor's own counts by the conventions' names. All tokens that were read count as input, those from a cache
    too, which Anthropic counts apart.
    """
    cached = said.get("cache_read_input_tokens", _of(said, "prompt_tokens_details").get("cached_tokens"))
    written = said.get("cache_creation_input_tokens")
    asked = said.get("prompt_tokens")
    if asked is None and type(said.get("input_tokens")) is int:
        asked = sum(each for each in (said["input_tokens"], cached, written) if type(each) is int)
    counts = {
        "gen_ai.usage.input_tokens": asked,
        "gen_ai.usage.output_tokens": said.get("completion_tokens", said.get("output_tokens")),
        "gen_ai.usage.cache_read.input_tokens": cached,
        "gen_ai.usage.cache_write.input_tokens": written,
        "gen_ai.usage.reasoning.output_tokens": _of(said, "completion_tokens_details").get("reasoning_tokens")
        or _of(said, "output_tokens_details").get("thinking_tokens"),
    }
    # A compatible server may send anything.
    return {name: count for name, count in counts.items() if type(count) is int}


def _of(said: dict[str, Any], name: str) -> dict[str, Any]:
    value = said.get(name)
    return value if isinstance(value, dict) else {}
