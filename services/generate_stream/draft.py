"""The answer as its writer holds it: deltas gather, become entries, and stay until the log surely has them. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.generate_stream.attempt import Fields
from shared.text import whole

ENTRY_MAX_BYTES = 16 * 1024
"""The most content one entry may carry, in bytes of UTF-8."""

_UTF8_MAX = 4


@dataclass
class _Gathering:
    """Neighbouring deltas of one type that no entry holds yet."""

    kind: str
    text: str
    size: int
    ms: int


class Draft:
    """All entries of one attempt, by seq, and what has gathered for the next.

    A surrogate half that a vendor sent at the end of one delta is joined with the other half in the next; alone it
    becomes U+FFFD. Past `max_bytes` of content (text, reasoning and calls of tools together) nothing more is taken.
    """

    def __init__(self, generation: int, started: Fields, max_bytes: int) -> None:
        self.generation = generation
        self.entries: list[Fields] = [started]
        self.size = 0
        """Bytes of content taken so far."""
        self.status = ""
        """How the attempt ended; empty while it runs."""
        self.reached_limit = False
        self._max_bytes = max_bytes
        self._gathering: _Gathering | None = None
        self._half = ("", "")
        self._chunks = 0
        self._digest = hashlib.sha256()
        self._announced = 0
        self.first_ms: int | None = None
        """When its first words came."""

    def add(self, kind: str, text: str, ms: int) -> None:
        """Take a delta of type `chunk` or `reasoning`, `ms` after the attempt began; after the end, nothing."""
        if not text or self.status:
            return
        if self._half[0] != kind:
            # The other half can't come any more: what follows is of another type.
            self._give_up_half(ms)
        self._take(kind, self._joined(kind, text), ms)

    def announce(self, size: int) -> None:
        """So many bytes of calls have come that are not whole yet."""
        self._announced += size
        self.reached_limit = self.reached_limit or self.size + self._announced > self._max_bytes

    def call(self, call_id: str, name: str, arguments: str, ms: int) -> None:
        """Take a tool's call, whole or not at all: one entry, whatever its length."""
        if self.status:
            return
        self._give_up_half(ms)
        told = {"callId": whole(call_id), "name": whole(name), "arguments": whole(arguments)}
        size = sum(len(text.encode()) for text in told.values())
        self._announced = max(0, self._announced - size)
        self.reached_limit = self.reached_limit or self.size + size > self._max_bytes
        if self.reached_limit:
            return
        self.cut()
        self.size += size
        if self.first_ms is None:
            self.first_ms = ms
        self.entries.append({"type": "tool", "generation": str(self.generation), **told, "ms": str(ms)})

    def end(self, status: str, ms: int, *, finish_reason: str = "", usage: Any = None, **more: str) -> None:
        """Close the attempt with its terminal entry, unless it has one. `more` are the fields of a failure."""
        if self.status:
            return
        self._give_up_half(ms)
        self.cut()
        self.status = status
        fields = {"type": "metadata", "status": status, "generation": str(self.generation), "ms": str(ms)}
        fields |= {"chunks": str(self._chunks), "durationMs": str(ms)}
        if self.first_ms is not None:
            fields["ttftMs"] = str(self.first_ms)
        if finish_reason:
            fields["finishReason"] = finish_reason
        if usage is not None:
            fields["usage"] = json.dumps(usage)
        self.entries.append(fields | {"digest": self._digest.hexdigest()} | more)

    def cut(self) -> None:
        """Make entries of what has gathered."""
        gathering, self._gathering = self._gathering, None
        if gathering is None:
            return
        text = gathering.text
        while text:
            piece = text if gathering.size <= ENTRY_MAX_BYTES else _cut(text, ENTRY_MAX_BYTES)
            text = text[len(piece) :]
            self._append(gathering, piece)

    def has_gathered(self) -> bool:
        """Whether there are words that no entry holds yet."""
        return self._gathering is not None

    def _give_up_half(self, ms: int) -> None:
        kind, half = self._half
        self._half = ("", "")
        if half:
            self._take(kind, "\ufffd", ms)

    def _joined(self, kind: str, text: str) -> str:
        text = self._half[1] + text
        self._half = ("", "")
        if "\ud800" <= text[-1] <= "\udbff":
            self._half = (kind, text[-1])
            text = text[:-1]
        return whole(text)

    def _take(self, kind: str, text: str, ms: int) -> None:
        if not text or self.reached_limit:
            return
        if self.first_ms is None:
            self.first_ms = ms
        if self.size + len(text.encode()) > self._max_bytes:
            text = _cut(text, self._max_bytes - self.size)
            self.reached_limit = True
        self._gather(kind, text, ms)

    def _gather(self, kind: str, text: str, ms: int) -> None:
        size = len(text.encode())
        self.size += size
        gathering = self._gathering
        if gathering and (gathering.kind != kind or gathering.size + size > ENTRY_MAX_BYTES):
            self.cut()
            gathering = None
        if gathering is None:
            self._gathering = _Gathering(kind, text, size, ms)
        else:
            gathering.text += text
            gathering.size += size
            gathering.ms = ms

    def _append(self, gathering: _Gathering, text: str) -> None:
        if gathering.kind == "chunk":
            self._chunks += 1
            self._digest.update(text.encode())
        fields = {"type": gathering.kind, "generation": str(self.generation), "content": text}
        self.entries.append(fields | {"ms": str(gathering.ms)})


def size_of(fields: Mapping[str, str]) -> int:
    """About how many bytes an entry takes on the wire."""
    return sum(len(name) + len(value) * _UTF8_MAX for name, value in fields.items())


def _cut(text: str, size: int) -> str:
    """As much of the beginning as fits into `size` bytes of UTF-8, never a part of a character."""
    return text.encode()[:size].decode("utf-8", "ignore")
