"""A generation as OpenAI's Responses API tells it: the object, and the events that lead to it. Pure."""

from collections.abc import Iterable
from typing import Any

from shared import events
from shared.dialects.response_ids import ResponseId
from shared.dialects.response_output import Event, Output
from shared.dialects.usage import usage_of
from shared.events import Entry

_FIXED: dict[str, Any] = {
    "instructions": None, "tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "truncation": "auto",
    "text": {"format": {"type": "text"}}, "presence_penalty": 0.0, "frequency_penalty": 0.0, "top_logprobs": 0,
    "reasoning": None, "max_tool_calls": None, "store": True, "background": True, "service_tier": "default",
    "user": None, "safety_identifier": None, "prompt_cache_key": None,
}  # fmt: skip
"""What clients want to be there and no log tells: the defaults of that API, and that every answer goes on by itself."""
_NUMBERS = {"temperature": ("temperature", 1.0), "top_p": ("topP", 1.0), "max_output_tokens": ("maxTokens", None)}
"""Each with our name for it, and what is told where nothing was asked."""

_CUT_SHORT = {"length": "max_output_tokens", "max_tokens": "max_output_tokens", "length_cap": "max_output_tokens"}
_CUT_SHORT |= {"content_filter": "content_filter", "refusal": "content_filter"}
_EVENTS = {"cancelled": "response.incomplete"}
"""There is no event of its own for a cancelled one."""


class Response:
    """One response as far as its entries have been taken: its object at any time, and the events on the way."""

    def __init__(self, response: ResponseId) -> None:
        self.over = False
        self._id = response
        self._output = Output(response)
        self._started: events.Event = {}
        self._end: events.Event = {}
        self._created_at: int | None = None
        self._completed_at: int | None = None

    @classmethod
    def of(cls, response: ResponseId, entries: Iterable[Entry]) -> dict[str, Any]:
        """The object that these entries make: all of a generation, earlier attempts too."""
        told = cls(response)
        for entry in entries:
            told.take(entry)
        return told.object

    def take(self, entry: Entry) -> list[Event]:
        """The events of one more entry, none where it has nothing to tell. After its end there are none."""
        if self.over:
            return []
        fields = entry.fields
        begins, kind = events.is_started(fields), fields.get("type", "")
        if begins:
            self._started = events.event(fields)
        told = self._begin(entry) if self._created_at is None else self._output.void() if begins else []
        if events.is_terminal(fields):
            return told + self._finish(entry)
        if kind in ("chunk", "reasoning", "tool"):
            told += self._output.add(kind, fields)
        return told

    @property
    def status(self) -> str:
        """As that API calls it."""
        if not self._end:
            return "in_progress"
        status = str(self._end["status"])
        if status == "completed" and self._reason:
            return "incomplete"
        return "cancelled" if status == "stopped" else status

    @property
    def object(self) -> dict[str, Any]:
        """The response object."""
        details = {"reason": self._reason} if self.status == "incomplete" else None
        return {
            "id": str(self._id),
            "object": "response",
            "created_at": self._created_at or 0,
            "completed_at": self._completed_at if self.status == "completed" else None,
            "status": self.status,
            "error": self._error if self.status == "failed" else None,
            "incomplete_details": details,
            "model": str(self._started.get("model", "")),
            "output": self._output.items,
            "previous_response_id": self._previous,
            "usage": usage(self._end.get("usage")),
            "metadata": events.metadata(self._started),
            **{theirs: self._number(*ours) for theirs, ours in _NUMBERS.items()},
            **_FIXED,
        }

    def _begin(self, entry: Entry) -> list[Event]:
        self._created_at = entry.id.ms // 1000
        return [{"type": kind, "response": self.object} for kind in ("response.created", "response.in_progress")]

    def _finish(self, entry: Entry) -> list[Event]:
        self.over, self._end = True, events.event(entry.fields)
        ms = self._end.get("ms")
        self._completed_at = (entry.id.ms + (ms if isinstance(ms, int) else 0)) // 1000
        told = self._output.close("completed" if self.status == "completed" else "incomplete")
        kind = _EVENTS.get(self.status, f"response.{self.status}")
        return [*told, {"type": kind, "response": self.object}]

    def _number(self, name: str, otherwise: float | None) -> Any:
        said = self._started.get(name)
        return said if isinstance(said, int | float) else otherwise

    @property
    def _reason(self) -> str | None:
        return _CUT_SHORT.get(str(self._end.get("finishReason")))

    @property
    def _error(self) -> dict[str, Any]:
        """In the API's few words for failures; our own code stands beside, as the error's type."""
        code = str(self._end.get("code", ""))
        known = "rate_limit_exceeded" if code == "provider_rate_limited" else "server_error"
        return {"code": known, "message": str(self._end.get("error", "")), "type": code, "param": None}

    @property
    def _previous(self) -> str | None:
        after = self._started.get("after", self._id.generation - 1)
        return str(self._id._replace(generation=after)) if isinstance(after, int) and after > 0 else None


def usage(said: Any) -> dict[str, Any] | None:
    """A vendor's own counts in that API's words; None where it has not told."""
    counted = usage_of(said)
    if counted is None:
        return None
    written = said.get("cache_creation_input_tokens")
    return {
        "input_tokens": counted.input,
        "input_tokens_details": {
            "cached_tokens": counted.cached,
            "cache_write_tokens": written if type(written) is int else 0,
        },
        "output_tokens": counted.output,
        "output_tokens_details": {"reasoning_tokens": counted.reasoning},
        "total_tokens": counted.input + counted.output,
    }
