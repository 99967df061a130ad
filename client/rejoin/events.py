"""What happens in a session, typed: the frames of its log. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """One entry of the log. `id` is its position: who comes back with it gets what is after it."""

    id: str
    generation: int
    data: Mapping[str, Any] = field(repr=False)
    """All of it, as the server sent it."""


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """An answer begins. From its second attempt on it voids the words of the one before: forget them."""

    attempt: int
    prompt: str
    provider: str
    model: str
    started_at: str
    """ISO 8601, UTC."""
    replaces: int | None
    """The generation whose place this one takes."""

    @property
    def voids(self) -> bool:
        """Whether words that came of this generation so far are void."""
        return self.attempt > 1


@dataclass(frozen=True, kw_only=True)
class Words(Event):
    """More of the answer."""

    text: str
    ms: int | None
    """Milliseconds since the attempt began."""


@dataclass(frozen=True, kw_only=True)
class Reasoning(Event):
    """More of the model's thinking."""

    text: str
    ms: int | None


@dataclass(frozen=True, kw_only=True)
class ToolCall(Event):
    """The model calls a tool. `arguments` is JSON as the model wrote it."""

    call_id: str
    name: str
    arguments: str
    ms: int | None


@dataclass(frozen=True, kw_only=True)
class End(Event):
    """The answer has its end: one of the three below."""

    finish_reason: str
    """The provider's own word."""
    usage: Any
    """The provider's own token counts, or None."""
    chunks: int | None
    duration_ms: int | None
    ttft_ms: int | None
    digest: str
    """SHA-256 of the text, hex; empty when none was told."""


@dataclass(frozen=True, kw_only=True)
class Completed(End):
    """It is whole."""


@dataclass(frozen=True, kw_only=True)
class Stopped(End):
    """Somebody stopped it; what came stays."""


@dataclass(frozen=True, kw_only=True)
class Failed(End):
    """It went wrong; what came stays."""

    code: str
    error: str
    """A text safe to show."""
    retryable: bool


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The log does not know the position: forget everything. The whole log comes next."""

    reason: str
    data: Mapping[str, Any] = field(repr=False)


AnyEvent = Started | Words | Reasoning | ToolCall | Completed | Stopped | Failed | Reset


def parse(id: str, data: Mapping[str, Any]) -> Event | None:
    """The event of a frame; None for a type that is not known here, which is to be passed over."""
    base: dict[str, Any] = {"id": id, "generation": _number(data, "generation") or 0, "data": data}
    timed = base | {"ms": _number(data, "ms")}
    match data.get("type"), data.get("status"):
        case "metadata", "started":
            told: dict[str, Any] = {name: _text(data, name) for name in ("prompt", "provider", "model")}
            attempt, replaces = _number(data, "attempt") or 1, _number(data, "replaces")
            return Started(**base, **told, attempt=attempt, started_at=_text(data, "startedAt"), replaces=replaces)
        case "metadata", "completed":
            return Completed(**base, **_end(data))
        case "metadata", "stopped":
            return Stopped(**base, **_end(data))
        case "metadata", "failed":
            retryable = data.get("retryable") is True
            return Failed(
                **base, **_end(data), code=_text(data, "code"), error=_text(data, "error"), retryable=retryable
            )
        case "chunk", _:
            return Words(**timed, text=_text(data, "content"))
        case "reasoning", _:
            return Reasoning(**timed, text=_text(data, "content"))
        case "tool", _:
            said: dict[str, Any] = {"name": _text(data, "name"), "arguments": _text(data, "arguments")}
            return ToolCall(**timed, **said, call_id=_text(data, "callId"))
        case _:
            return None


def _end(data: Mapping[str, Any]) -> dict[str, Any]:
    counts = {
        "chunks": _number(data, "chunks"),
        "duration_ms": _number(data, "durationMs"),
        "ttft_ms": _number(data, "ttftMs"),
    }
    said = {"finish_reason": _text(data, "finishReason"), "digest": _text(data, "digest")}
    return {**counts, **said, "usage": data.get("usage")}


def _number(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    # Another writer's number may arrive as anything.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)
