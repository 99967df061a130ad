"""Bytes: of commands, replies, entries and frames, packed and framed by the services' own code. Pure."""

from typing import NamedTuple

from services.consume_stream import frames
from shared import keys
from shared.events import Entry
from shared.position import Position
from shared.wire import Argument, pack

MS, SEQ, SCORE = "1767225600000", "250", "1767225606000.25"
TOKEN, INSTANCE, SHA, DIGEST, REQUEST_ID = "t" * 21, "i" * 12, "5" * 40, "d" * 64, "r" * 21
GROUP = keys.group(INSTANCE, "v" * 21)
ARRAY = len("*1\r\n")
"""The head of an array of up to nine."""
INTEGER = len(":1\r\n")

_USAGE = '{"completion_tokens": 100, "prompt_tokens": 100, "total_tokens": 200}'


class Text(NamedTuple):
    """What the bytes depend on."""

    session: str = "s" * 21
    content: str = "c" * 40
    """Of one chunk."""
    prompt: str = "p" * 80

    @property
    def chunk(self) -> dict[str, str]:
        """An entry of one chunk."""
        return {"type": "chunk", "generation": "1", "content": self.content, "ms": "4200"}

    @property
    def told(self) -> dict[str, str]:
        """What `started` says of the request."""
        return {
            "prompt": self.prompt, "provider": "openai", "model": "bench", "startedAt": "2026-01-01T00:00:00.000Z"
        }  # fmt: skip

    @property
    def started(self) -> dict[str, str]:
        """The first entry."""
        return {"type": "metadata", "status": "started", "generation": "1", "attempt": "1"} | self.told

    @property
    def end(self) -> dict[str, str]:
        """The terminal entry."""
        head = {"type": "metadata", "status": "completed", "generation": "1", "ms": "4200", "chunks": "100"}
        return head | {
            "durationMs": "4200", "ttftMs": "60", "finishReason": "stop", "usage": _USAGE, "digest": DIGEST
        }  # fmt: skip


def size(*command: Argument) -> int:
    """A command; or a reply that is an array of strings, which looks the same."""
    return len(pack(*command))


def string(text: Argument) -> int:
    """One more string in a command or a reply."""
    return size(text) - ARRAY


def appended(fields: dict[str, str]) -> int:
    """One more entry in an append: how many strings it has, and these."""
    return string(2 * len(fields)) + sum(string(name) + string(value) for name, value in fields.items())


def read(fields: dict[str, str]) -> int:
    """One more entry in a reply."""
    flat = [part for pair in fields.items() for part in pair]
    return ARRAY + string(f"{MS}-{SEQ}") + size(*flat)


def frame(fields: dict[str, str]) -> int:
    """To a viewer, an entry that comes alone, with HTTP's own around it, without TCP's and TLS'."""
    body = len(frames.encode([Entry(Position(int(MS), int(SEQ)), fields)]))
    return len(f"{body:x}\r\n\r\n") + body
