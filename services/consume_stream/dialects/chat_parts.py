"""Parts: entries of the log as the chunks of the AI SDK's UI message stream v1, those that its versions 5 to 7 know.

Pure. A client fails the whole stream on a chunk that it does not know, and on a delta without its start.
"""

from collections.abc import Iterator
from typing import Any

from shared import events
from shared.dialects import chat
from shared.events import Entry
from shared.position import Position

Part = dict[str, Any]

_KINDS = {"chunk": "text", "reasoning": "reasoning"}
_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "tool_use": "tool-calls",
    "content_filter": "content-filter",
    "refusal": "content-filter",
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
}
"""The vendors' words in the AI SDK's; what is in neither is `other`."""
_NOT_JSON = "The arguments of this call are not JSON."


class Parts:
    """The parts of one generation, entry by entry.

    `onward` tells it as the rest of a message whose beginning was told in the same stream: with what tools gave back,
    and without a beginning. `more` leaves the end to the generation that goes on with its message.
    """

    def __init__(self, session: str, generation: int, *, onward: bool = False, more: bool = False) -> None:
        self.over = self.void = False
        self._session = session
        self._generation = generation
        self._onward = onward
        self._more = more
        self._began = False
        self._said = False
        self._open = ""
        self._block = ""
        self._blocks = 0

    def of(self, entry: Entry) -> list[Part]:
        """What an entry says, maybe nothing. After the end, and where all was void, it is nothing."""
        if self.over or self.void:
            return []
        return list(self._of(entry.id, entry.fields))

    def _of(self, at: Position, fields: dict[str, str]) -> Iterator[Part]:
        kind = fields.get("type", "")
        if events.is_started(fields):
            yield from self._started(at, fields)
        elif events.is_terminal(fields):
            yield from self._close()
            yield from self._end(fields)
            self.over = True
        elif kind in _KINDS:
            yield from self._words(_KINDS[kind], fields.get("content", ""))
        elif kind == "tool":
            yield from self._close()
            yield _call(fields)
            self._said = True

    def _started(self, at: Position, fields: dict[str, str]) -> Iterator[Part]:
        if self._began:
            # Another attempt. What this stream has said can't be taken back in words that all versions know.
            self.void = self._said
            return
        self._began = True
        started = events.event(fields)
        continues = started.get("continues")
        if self._onward:
            yield from _outputs(started)
        elif isinstance(continues, int):
            yield {"type": "start", "messageId": chat.answer_id(self._session, continues)}
        else:
            message = chat.answer_id(self._session, self._generation)
            yield {"type": "start", "messageId": message, "messageMetadata": _began(at, started)}
        yield {"type": "start-step"}

    def _words(self, kind: str, delta: str) -> Iterator[Part]:
        if self._open != kind:
            yield from self._close()
            self._blocks += 1
            self._open, self._block = kind, f"{self._generation}.{self._blocks}"
            yield {"type": f"{kind}-start", "id": self._block}
        if delta:
            yield {"type": f"{kind}-delta", "id": self._block, "delta": delta}
        self._said = True

    def _close(self) -> Iterator[Part]:
        if self._open:
            yield {"type": f"{self._open}-end", "id": self._block}
        self._open = ""

    def _end(self, fields: dict[str, str]) -> Iterator[Part]:
        status = fields["status"]
        if self._more or status == "completed":
            yield {"type": "finish-step"}
        if self._more:
            return
        if status == "completed":
            reason = _REASONS.get(fields.get("finishReason", ""), "other")
            yield {"type": "finish", "finishReason": reason} | _ended(events.event(fields))
        elif status == "stopped":
            yield {"type": "abort"}
        else:
            yield {"type": "error", "errorText": fields.get("error") or "The answer failed."}


def _call(fields: dict[str, str]) -> Part:
    written = fields.get("arguments", "")
    call = {"toolCallId": fields.get("callId", ""), "toolName": fields.get("name", "")}
    try:
        return {"type": "tool-input-available", **call, "input": chat.arguments(written)}
    except ValueError:
        return {"type": "tool-input-error", **call, "input": written, "errorText": _NOT_JSON}


def _outputs(started: events.Event) -> Iterator[Part]:
    results = started.get("toolResults")
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict):
            call = {"toolCallId": str(result.get("callId", ""))}
            output = chat.given(str(result.get("content", "")))
            error = chat.given_error(output)
            if error is None:
                yield {"type": "tool-output-available", **call, "output": output}
            else:
                yield {"type": "tool-output-error", **call, "errorText": error}


def _began(at: Position, started: events.Event) -> Part:
    # The names that the AI SDK's own guide gives them: a client that checks metadata by that guide's schema takes them.
    return {"createdAt": at.ms} | ({"model": started["model"]} if started.get("model") else {})


def _ended(end: events.Event) -> Part:
    tokens = _tokens(end.get("usage"))
    return {} if tokens is None else {"messageMetadata": {"totalTokens": tokens}}


_BILLS = (
    ("total_tokens",),
    ("prompt_tokens", "completion_tokens"),
    ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
)
"""Of OpenAI and those like it, and of Anthropic."""


def _tokens(usage: Any) -> int | None:
    for names in _BILLS if isinstance(usage, dict) else ():
        counts: list[int] = [usage[name] for name in names if type(usage.get(name)) is int]
        if counts:
            return sum(counts)
    return None
