"""Frames: entries as Server-Sent Events. Pure."""

import json
from collections.abc import Iterable

from shared import events
from shared.events import Entry

PING = b": ping\n"
"""A comment and one newline: an empty line after it would make some parsers see an event without data."""

_MERGEABLE = frozenset({"type", "generation", "content", "ms"})
_MERGED_MAX_CHARACTERS = 64 * 1024
# Line ends for JSON's readers but not for its writers: some clients split a stream at these.
_LINE_ENDS = str.maketrans({"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def encode(entries: Iterable[Entry], retry_ms: int | None = None) -> bytes:
    """The frames of one batch; `retry_ms`, a client's wait before it comes back, travels inside the first."""
    retry = f"retry: {retry_ms}\n" if retry_ms is not None else ""
    frames = []
    for entry in merge(entries):
        frames.append(f"{retry}id: {entry.id}\ndata: {_json(events.event(entry.fields))}\n\n")
        retry = ""
    return "".join(frames).encode("utf-8", "replace")


def reset(reason: str, retry_ms: int | None = None) -> bytes:
    """Forget everything, the cursor too: the whole log comes next. It has no id, being no entry."""
    retry = f"retry: {retry_ms}\n" if retry_ms is not None else ""
    return f"{retry}data: {_json({'type': 'reset', 'reason': reason})}\n\n".encode()


def merge(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Join neighbours of one kind (`chunk`, `reasoning`) and one generation into one, under the last one's id and ms.

    Two attempts are never neighbours, for each begins with `started`. An entry with a field that we do not know
    stays as it is.
    """
    run: list[Entry] = []
    length = 0
    for entry in entries:
        size = len(entry.fields.get("content", ""))
        if run and not (_alike(run[-1], entry) and length + size <= _MERGED_MAX_CHARACTERS):
            yield _joined(run)
            run, length = [], 0
        run.append(entry)
        length += size
    if run:
        yield _joined(run)


def _alike(one: Entry, next_one: Entry) -> bool:
    a, b = one.fields, next_one.fields
    return (
        a.get("type") in ("chunk", "reasoning")
        and a["type"] == b.get("type")
        and a.get("generation") == b.get("generation")
        and a.keys() <= _MERGEABLE
        and b.keys() <= _MERGEABLE
    )


def _joined(run: list[Entry]) -> Entry:
    last = run[-1]
    if len(run) == 1:
        return last
    content = "".join(entry.fields.get("content", "") for entry in run)
    return Entry(last.id, last.fields | {"content": content})


def _json(event: events.Event) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS)
