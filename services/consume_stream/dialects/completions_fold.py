"""A completion as OpenAI's chunks: the fold from the entries of one generation to Server-Sent Events. Pure."""

from typing import Any

from services.consume_stream import frames
from shared import events
from shared.dialects import completion, failures
from shared.events import Entry, Event

DONE = b"data: [DONE]\n\n"


class CompletionFold:
    """One reader's chunks. Words can't be taken back: a takeover after the first of them is void."""

    def __init__(self, name: str, *, include_usage: bool) -> None:
        self.over = self.void = False
        self._head: dict[str, Any] = {"id": name, "object": "chat.completion.chunk", "created": 0, "model": ""}
        self._include_usage = include_usage
        self._begun = self._said = False
        self._calls = 0

    def take(self, entries: list[Entry]) -> bytes:
        """The chunks of some more entries."""
        told = b""
        for entry in frames.merge(entries):
            if not (self.over or self.void):
                told += self._of(entry)
        return told

    def _of(self, entry: Entry) -> bytes:
        event = events.event(entry.fields)
        if events.is_started(entry.fields):
            self.void = self._said
            return b"" if self._begun else self._begin(event)
        if events.is_terminal(entry.fields):
            self.over = True
            return self._failure(event) if event["status"] == "failed" else self._end(event)
        delta = self._delta(event)
        if delta is None:
            return b""
        self._said = True
        # A log that others write may lack its beginning.
        return (b"" if self._begun else self._begin({})) + self._chunk(delta)

    def _begin(self, started: Event) -> bytes:
        self._begun = True
        self._head["created"] = completion.created(str(started.get("startedAt", "")))
        self._head["model"] = str(started.get("model", ""))
        return self._chunk({"role": "assistant", "content": ""})

    def _delta(self, event: Event) -> dict[str, Any] | None:
        match event.get("type"):
            case "chunk":
                return {"content": str(event.get("content", ""))}
            case "reasoning":
                return {"reasoning_content": str(event.get("content", ""))}
            case "tool":
                self._calls += 1
                return {"tool_calls": [{"index": self._calls - 1, **completion.tool_call(event)}]}
        return None

    def _end(self, event: Event) -> bytes:
        reason = completion.finish_reason(event.get("finishReason"), called=self._calls > 0)
        told = (b"" if self._begun else self._begin({})) + self._chunk({}, reason)
        counts = completion.usage(event.get("usage")) if self._include_usage else None
        if counts:
            told += _frame({**self._head, "choices": [], "usage": counts})
        return told + DONE

    def _failure(self, event: Event) -> bytes:
        return _frame({"error": failures.error_of(str(event.get("code", "")), str(event.get("error", "")))})

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        nothing = {"usage": None} if self._include_usage else {}
        return _frame({**self._head, "choices": [choice], **nothing})


def _frame(told: dict[str, Any]) -> bytes:
    return f"data: {frames.text_of(told)}\n\n".encode("utf-8", "replace")
