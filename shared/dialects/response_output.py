"""The output of a response: items that entries open, fill and close, and the events that tell of it. Pure."""

from collections.abc import Mapping
from typing import Any

from shared.dialects.response_ids import ResponseId

Event = dict[str, Any]
"""An event without its sequence number."""
Item = dict[str, Any]


class Output:
    """The items of the newest attempt, the last of them maybe open.

    An earlier attempt's items are void, but they were told of: theirs are the indexes before.
    """

    def __init__(self, response: ResponseId) -> None:
        self._items: list[Item] = []
        self._response = response
        self._index = -1
        self._open: Item | None = None
        self._words: list[str] = []
        """Of the open item: joined when it is shown, for to join them at each word would take the square of it."""
        self._calls: dict[str, str] = {}
        """The item of each call. A client knows a call by the id that the vendor gave it, and dies of a second one."""

    @property
    def items(self) -> list[Item]:
        """As they stand."""
        self._join()
        return [_copy(item) for item in self._items]

    def add(self, kind: str, fields: Mapping[str, str]) -> list[Event]:
        """An entry `chunk`, `reasoning` or `tool`."""
        if kind == "tool":
            return [*self.close("completed"), *self._call(fields)]
        told: list[Event] = []
        if self._open is None or self._open["type"] != _TYPES[kind]:
            told = [*self.close("completed"), *self._begin(kind)]
        assert self._open
        delta = fields.get("content", "")
        self._words.append(delta)
        return [*told, self._event(_DELTAS[kind], **self._place(self._open), delta=delta, **_logprobs(self._open))]

    def close(self, status: str) -> list[Event]:
        """No more comes to the open item: it is `completed` or `incomplete`."""
        self._join()
        item, self._open = self._open, None
        if item is None:
            return []
        item["status"] = status
        part, said = _part(item), item["type"] == "message"
        text_done = "response.output_text.done" if said else "response.reasoning_summary_text.done"
        part_done = "response.content_part.done" if said else "response.reasoning_summary_part.done"
        place = self._place(item)
        return [
            self._event(text_done, **place, text=part["text"], **_logprobs(item)),
            self._event(part_done, **place, part=dict(part)),
            self._event("response.output_item.done", output_index=self._index, item=_copy(item)),
        ]

    def void(self) -> list[Event]:
        """A new attempt begins: what there is counts no more."""
        told = self.close("incomplete")
        self._items = []
        return told

    def _begin(self, kind: str) -> list[Event]:
        self._index += 1
        said = kind == "chunk"
        item: Item = {"id": self._response.item("msg" if said else "rs", self._index), "type": _TYPES[kind]}
        item |= {"status": "in_progress"} | ({"role": "assistant", "content": []} if said else {"summary": []})
        self._items.append(item)
        self._open, self._words = item, []
        added = self._event("response.output_item.added", output_index=self._index, item=_copy(item))
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []} if said else {**_SUMMARY}
        _parts(item).append(part)
        part_added = "response.content_part.added" if said else "response.reasoning_summary_part.added"
        return [added, self._event(part_added, **self._place(item), part=dict(part))]

    def _join(self) -> None:
        if self._open is not None:
            _part(self._open)["text"] = "".join(self._words)

    def _call(self, fields: Mapping[str, str]) -> list[Event]:
        call_id, arguments = fields.get("callId", ""), fields.get("arguments", "")
        known = self._calls.get(call_id)
        index = self._index + 1
        item_id = self._calls[call_id] = known or self._response.item("fc", index)
        item = {"id": item_id, "type": "function_call", "status": "completed", "call_id": call_id}
        item |= {"name": fields.get("name", ""), "arguments": arguments}
        self._items.append(item)
        if known:
            return []
        self._index = index
        place = {"item_id": item_id, "output_index": index}
        begun = {**item, "status": "in_progress", "arguments": ""}
        return [
            self._event("response.output_item.added", output_index=index, item=begun),
            self._event("response.function_call_arguments.delta", **place, delta=arguments),
            self._event("response.function_call_arguments.done", **place, name=item["name"], arguments=arguments),
            self._event("response.output_item.done", output_index=index, item=dict(item)),
        ]

    def _place(self, item: Item) -> Event:
        part = "content_index" if item["type"] == "message" else "summary_index"
        return {"item_id": item["id"], "output_index": self._index, part: 0}

    @staticmethod
    def _event(kind: str, **fields: Any) -> Event:
        return {"type": kind, **fields}


_TYPES = {"chunk": "message", "reasoning": "reasoning"}
_DELTAS = {"chunk": "response.output_text.delta", "reasoning": "response.reasoning_summary_text.delta"}
_SUMMARY = {"type": "summary_text", "text": ""}
"""Thoughts are told as a summary: all clients show that, and few the text of the thoughts themselves."""


def _logprobs(item: Item) -> Event:
    return {"logprobs": []} if item["type"] == "message" else {}


def _parts(item: Item) -> list[Any]:
    parts: list[Any] = item["content"] if item["type"] == "message" else item["summary"]
    return parts


def _part(item: Item) -> dict[str, Any]:
    part: dict[str, Any] = _parts(item)[0]
    return part


def _copy(item: Item) -> Item:
    if item["type"] == "function_call":
        return dict(item)
    name = "content" if item["type"] == "message" else "summary"
    return {**item, name: [dict(part) for part in item[name]]}
