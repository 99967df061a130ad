"""A chat completion in OpenAI's words: its id, its reasons, its counts, and the whole object. Pure."""

import re
from datetime import datetime
from typing import Any

from shared import keys
from shared.dialects.usage import usage_of
from shared.events import Event
from shared.view import Answer

_ID = re.compile(rf"chatcmpl-({keys.SESSION})-([1-9][0-9]{{0,9}})")
_GENERATION_MAX = 2**31

_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "length_cap": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
"""The vendors' own, and ours for one that grew too long. Every other is a stop, also a user's: it has no word here."""


def id_of(session: str, generation: int) -> str:
    """What a completion is called."""
    return f"chatcmpl-{session}-{generation}"


def place_of(name: str) -> tuple[str, int] | None:
    """The session and generation that an id names; None where it is none of ours."""
    found = _ID.fullmatch(name)
    if not found or int(found[2]) > _GENERATION_MAX:
        return None
    return found[1], int(found[2])


def created(started_at: str) -> int:
    """When it began, in seconds since 1970; 0 where its writer has not said so."""
    try:
        return max(0, int(datetime.fromisoformat(started_at).timestamp()))
    except (ValueError, OverflowError, OSError):
        return 0


def finish_reason(said: object, *, called: bool) -> str:
    """A vendor's reason for the end as one of OpenAI's. Some servers say `stop` after they have called a tool."""
    reason = _REASONS.get(str(said), "stop")
    return "tool_calls" if called and reason == "stop" else reason


def usage(said: Any) -> dict[str, Any] | None:
    """A vendor's counts in OpenAI's words; None where there are none."""
    counts = usage_of(said)
    if counts is None:
        return None
    total = {"total_tokens": counts.input + counts.output}
    told = {"prompt_tokens": counts.input, "completion_tokens": counts.output, **total}
    read, written = {"cached_tokens": counts.cached}, {"reasoning_tokens": counts.reasoning}
    return {**told, "prompt_tokens_details": read, "completion_tokens_details": written}


def tool_call(event: Event) -> dict[str, Any]:
    """A call of a tool."""
    called = {"name": str(event.get("name", "")), "arguments": str(event.get("arguments", ""))}
    return {"id": str(event.get("callId", "")), "type": "function", "function": called}


def completion(session: str, answer: Answer) -> dict[str, Any]:
    """An answer that has its end, whole or stopped."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [tool_call(call) for call in answer.tool_calls]
    elif not answer.text:
        message["content"] = ""
    reason = finish_reason(answer.end.get("finishReason"), called=bool(answer.tool_calls))
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    head = {"id": id_of(session, answer.generation), "object": "chat.completion"}
    told = {**head, "created": created(answer.started_at), "model": answer.model, "choices": [choice]}
    told["metadata"] = answer.metadata
    counts = usage(answer.usage)
    return told | ({"usage": counts} if counts else {})
