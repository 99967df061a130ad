"""Entries and events: what Redis holds as flat strings, and what clients get as JSON. Pure."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from shared.position import Position

TERMINAL = frozenset({"completed", "stopped", "failed"})
Raw = Sequence[Any]
"""One entry of a Redis reply, `[id, [field, value, ...]]`, all of it bytes."""

Event = dict[str, Any]
"""An entry as JSON: numbers, booleans and `usage` typed as the contract says, everything else a string."""


class Entry(NamedTuple):
    """One stream entry: its position, and its fields as they stand in Redis."""

    id: Position
    fields: dict[str, str]


def decode(raw: Raw) -> Entry:
    """Read one entry of a Redis reply.

    Any writer's bytes are taken: what is not UTF-8 becomes U+FFFD, so that one bad entry stops no viewer.
    """
    flat = [part.decode("utf-8", "replace") for part in raw[1]]
    return Entry(position_of(raw), dict(zip(flat[::2], flat[1::2], strict=True)))


def position_of(raw: Raw) -> Position:
    """Where one entry of a Redis reply stands."""
    ms, _, seq = raw[0].partition(b"-")
    return Position(int(ms), int(seq))


def event(fields: dict[str, str]) -> Event:
    """Give the fields their types. A value that is not of its type (a foreign writer's) stays a string."""
    return {name: _TYPES[name](value) if name in _TYPES else value for name, value in fields.items()}


def _number(value: str) -> int | str:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else value


def _boolean(value: str) -> bool | str:
    return {"true": True, "false": False}.get(value, value)


def _json(value: str) -> Any:
    try:
        read = json.loads(value)
        # Python reads more than it may send on: NaN, endless numbers, halves of surrogate pairs.
        json.dumps(read, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return value
    return read


def _decimal(value: str) -> Any:
    read = _json(value)
    return read if type(read) in (int, float) else value


_NUMBERS = (
    "generation", "attempt", "replaces", "after", "continues", "maxTokens", "ms", "chunks", "durationMs", "ttftMs",
)  # fmt: skip
_TYPES: dict[str, Callable[[str], Any]] = {"retryable": _boolean, "temperature": _decimal, "topP": _decimal}
_TYPES |= dict.fromkeys(("usage", "toolResults", "metadata"), _json)
_TYPES |= dict.fromkeys(_NUMBERS, _number)


def metadata(said: Event) -> dict[str, str]:
    """What its client has attached to an answer; empty too where a foreign writer means something else by it."""
    told = said.get("metadata")
    fits = isinstance(told, dict) and all(isinstance(value, str) for value in told.values())
    return dict(told) if told and fits else {}


def is_started(fields: dict[str, str]) -> bool:
    """Whether an entry begins an attempt."""
    return fields.get("type") == "metadata" and fields.get("status") == "started"


def is_terminal(fields: dict[str, str]) -> bool:
    """Whether an entry ends its generation."""
    return fields.get("type") == "metadata" and fields.get("status") in TERMINAL
