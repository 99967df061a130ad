"""Frames: entries as Server-Sent Events. Pure."""

import json
from collections.abc import Iterable, Sequence

from shared import events
from shared.events import Entry

PING = b": ping\n"
"""A comment and one newline: an empty line after it would make some parsers see an event without data."""

_NAMES = [b"type", b"generation", b"content", b"ms"]
_KINDS = frozenset({b"chunk", b"reasoning"})
_MERGEABLE = frozenset({"type", "generation", "content", "ms"})
_MERGED_MAX_CHARACTERS = 64 * 1024
_MS_DIGITS = 19
# Line ends for JSON's readers but not for its writers: some clients split a stream at these.
_LINE_ENDS = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(entries: Iterable[Entry]) -> bytes:
    """The frames of one batch."""
    merged = (f"id: {entry.id}\ndata: {text_of(events.event(entry.fields))}\n\n" for entry in merge(entries))
    return "".join(merged).encode("utf-8", "replace")


def ping_event(every_s: float) -> bytes:
    """A sign of life that a page can hear, for comments never reach it; it tells how often there is one, in seconds."""
    return f"event: ping\ndata: {every_s:g}\n\n".encode()


def messages(sent: bytes) -> list[str]:
    """The same frames for a WebSocket: each a JSON text with the entry as `data` and, where it is one, its `id`."""
    return [_message(frame) for frame in sent.decode().split("\n\n")[:-1]]


def _message(frame: str) -> str:
    head, _, data = frame.partition("data: ")
    position = head.removeprefix("id: ").removesuffix("\n")
    return f'{{"id":"{position}","data":{data}}}' if position else f'{{"data":{data}}}'


def retry(ms: int) -> bytes:
    """How long a client is to wait before it comes back; belongs before the first frame, and is none by itself."""
    return f"retry: {ms}\n".encode()


def reset(reason: str) -> bytes:
    """Forget everything, the cursor too: the whole log comes next. It has no id, being no entry."""
    return f"data: {text_of({'type': 'reset', 'reason': reason})}\n\n".encode()


def unauthorized(code: str) -> bytes:
    """The right to read is over; the connection is cut after it. It has no id, being no entry."""
    return f"data: {text_of({'type': 'unauthorized', 'code': code})}\n\n".encode()


def beacon(number: int, of: int, at_ms: float) -> bytes:
    """A sign that tells when it was sent; it has no id, being no entry."""
    return f"data: {text_of({'type': 'beacon', 'number': number, 'of': of, 'atMs': at_ms})}\n\n".encode()


def merge(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Join neighbours of one kind (`chunk`, `reasoning`) and one generation into one, under the last one's id and ms.

    Two attempts are never neighbours, for each begins with `started`. An entry with a field that we do not know
    stays as it is, and one without a time does not take that of those before it.
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


def joined(raw: Iterable[events.Raw]) -> list[Entry]:
    """Decode the entries of a Redis reply; neighbours of the shape that our own writer gives them are joined before.

    Folds to the same as all of them decoded, for a fifth of the time: a replay has thousands.
    """
    entries: list[Entry] = []
    run: list[events.Raw] = []
    head, length = None, 0
    for each in raw:
        fields = each[1]
        ours = fields[::2] == _NAMES and fields[1] in _KINDS and fields[7].isdigit() and len(fields[7]) <= _MS_DIGITS
        size = len(fields[5]) if ours else 0
        if run and not (ours and fields[1:4:2] == head and length + size <= _MERGED_MAX_CHARACTERS):
            entries.append(_run_of(run))
            run, length = [], 0
        if ours:
            run.append(each)
            head, length = fields[1:4:2], length + size
        else:
            entries.append(events.decode(each))
    if run:
        entries.append(_run_of(run))
    return entries


def _run_of(raw: Sequence[events.Raw]) -> Entry:
    last = events.decode(raw[-1])
    # Each by itself: what is no UTF-8 in one must not become a letter together with the next.
    return Entry(last.id, last.fields | {"content": "".join([each[1][5].decode("utf-8", "replace") for each in raw])})


def _alike(one: Entry, next_one: Entry) -> bool:
    a, b = one.fields, next_one.fields
    return (
        a.get("type") in ("chunk", "reasoning")
        and a["type"] == b.get("type")
        and a.get("generation") == b.get("generation")
        and a.keys() <= _MERGEABLE
        and b.keys() <= _MERGEABLE
        and _has_time(a) == _has_time(b)
    )


def _has_time(fields: dict[str, str]) -> bool:
    ms = fields.get("ms", "")
    return ms.isascii() and ms.isdigit() and len(ms) <= _MS_DIGITS


def _joined(run: list[Entry]) -> Entry:
    last = run[-1]
    if len(run) == 1:
        return last
    content = "".join(entry.fields.get("content", "") for entry in run)
    return Entry(last.id, last.fields | {"content": content})


def text_of(event: events.Event) -> str:
    """JSON in one line for every reader of streams."""
    text = _encode(event)
    for line_end, escaped in _LINE_ENDS.items():
        # Hardly ever there, and to look for it costs a hundredth of replacing it in vain.
        if line_end in text:
            text = text.replace(line_end, escaped)
    return text
