"""What a response was asked with, as OpenAI's items: the fold from its entries to a page of a list. Pure."""

from collections.abc import Iterable
from typing import Any

from shared import events
from shared.dialects.response_ids import ResponseId
from shared.events import Entry, Event

Item = dict[str, Any]


def items(which: ResponseId, entries: Iterable[Entry]) -> list[Item]:
    """The newest attempt's question, or what tools gave back, in the order in which it was said.

    Of a conversation that its client brought along the log tells the last question alone.
    """
    begun = [entry.fields for entry in entries if events.is_started(entry.fields)]
    started: Event = events.event(begun[-1]) if begun else {}
    said = str(started.get("prompt", ""))
    told = [_message(which.input_item("msg", 0), said)] if said else []
    results = started.get("toolResults")
    given_back = [result for result in results if isinstance(result, dict)] if isinstance(results, list) else []
    return [*told, *(_output(which.input_item("fco", at), result) for at, result in enumerate(given_back))]


def page(items: list[Item], *, after: str | None, limit: int) -> dict[str, Any] | None:
    """Up to `limit` of them, from after one on; None where there is no such one."""
    ids = [item["id"] for item in items]
    if after is not None and after not in ids:
        return None
    left = items if after is None else items[ids.index(after) + 1 :]
    data = left[:limit]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return {"object": "list", "data": data, **ends, "has_more": len(left) > limit}


def _message(name: str, text: str) -> Item:
    content = [{"type": "input_text", "text": text}]
    return {"id": name, "type": "message", "status": "completed", "role": "user", "content": content}


def _output(name: str, result: Event) -> Item:
    said = {"call_id": str(result.get("callId", "")), "output": str(result.get("content", ""))}
    return {"id": name, "type": "function_call_output", "status": "completed", **said}
