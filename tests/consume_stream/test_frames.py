"""Frames: whatever is in the log, every parser reads the same events, each text whole and in order."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import pytest
from anthropic._streaming import SSEDecoder as AnthropicDecoder
from hypothesis import example, given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder as OpenAIDecoder

from services.consume_stream import frames
from shared import events
from shared.events import Entry
from shared.position import Position
from shared.view import View
from tests.shared.strategies import TEXTS, bounded, logs


class Event(NamedTuple):
    """What a parser dispatches."""

    id: str | None
    data: str
    retry: int | None


def by_the_specification(raw: bytes) -> list[Event]:
    """The HTML standard's own algorithm, with its three line ends; `id` is that of this event, not the last one's."""
    found: list[Event] = []
    event_id: str | None = None
    retry: int | None = None
    data: list[str] = []
    for line in re.split("\r\n|\n|\r", raw.decode().removeprefix("\ufeff")):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append(Event(event_id, "\n".join(data), retry))
            event_id, retry, data = None, None, []
        elif name == "id" and "\0" not in value:
            event_id = value
        elif name == "retry" and value.isdigit():
            retry = int(value)
        elif name == "data":
            data.append(value)
        else:
            assert name == "", f"a field that we never send: {line!r}"
    return found


def by_an_sdk(decoder: Callable[[], Any]) -> Callable[[bytes], list[Event]]:
    """A vendor's parser, fed byte by byte."""

    def parse(raw: bytes) -> list[Event]:
        pieces: Iterator[bytes] = (raw[at : at + 1] for at in range(len(raw)))
        found = list(decoder().iter_bytes(pieces))
        assert all(event.event is None for event in found)
        return [Event(event.id, event.data, event.retry) for event in found]

    return parse


PARSERS = [by_the_specification, by_an_sdk(OpenAIDecoder), by_an_sdk(AnthropicDecoder)]
each_parser = pytest.mark.parametrize("parse", PARSERS, ids=["specification", "openai", "anthropic"])


def chunk(seq: int, content: str, **more: str) -> Entry:
    return Entry(Position(5, seq), {"type": "chunk", "generation": "1", "content": content, "ms": str(seq)} | more)


def folded(pairs: list[tuple[str, events.Event]]) -> list[Any]:
    view = View()
    for event_id, event in pairs:
        view.apply(event_id, event)
    return list(view.answers.values())


@bounded
@given(logs())
def test_every_parser_reads_the_same_events(log: list[Entry]) -> None:
    raw = frames.retry(1234) + frames.encode(log) if log else b""
    read = [parse(raw) for parse in PARSERS]
    assert read[0] == read[1] == read[2]
    assert [event.retry for event in read[0]] == [1234, *[None] * len(read[0])][: len(read[0])]


@bounded
@given(logs())
def test_frames_say_what_the_log_says(log: list[Entry]) -> None:
    told = [(event.id or "", json.loads(event.data)) for event in by_the_specification(frames.encode(log))]
    assert folded(told) == folded([(str(entry.id), events.event(entry.fields)) for entry in log])


@bounded
@given(logs())
def test_each_frame_is_one_entry_or_a_run_of_words(log: list[Entry]) -> None:
    left = list(log)
    for event in by_the_specification(frames.encode(log)):
        end = [str(entry.id) for entry in left].index(event.id or "") + 1
        covered, left = [events.event(entry.fields) for entry in left[:end]], left[end:]
        told = json.loads(event.data)
        if len(covered) > 1:
            assert {each["type"] for each in covered} in ({"chunk"}, {"reasoning"})
            assert len({str(each.get("generation")) for each in covered}) == 1
            covered[-1]["content"] = "".join(each.get("content", "") for each in covered)
        assert told == covered[-1]
    assert left == []


@bounded
@given(logs())
def test_no_data_line_can_be_split_by_anybody(log: list[Entry]) -> None:
    raw = frames.encode(log).decode()
    lines = [line for line in raw.split("\n") if line]
    assert all(line.splitlines() == [line] for line in lines)
    assert {line.partition(":")[0] for line in lines} <= {"id", "data"}
    assert "\0" not in raw


@each_parser
@pytest.mark.parametrize(
    "nasty", ["\0", "\r", "\n", "\r\n", "\n\n", "\u2028", "\u2029", "\u0085", "\x1e", "\ufeff", "🌊"]
)
def test_every_character_arrives(parse: Callable[[bytes], list[Event]], nasty: str) -> None:
    text = f"{nasty}data: {nasty}\nid: 9-9{nasty}"
    [event] = parse(frames.encode([chunk(1, text)]))
    assert json.loads(event.data)["content"] == text
    assert event.id == "5-1"


@bounded
@given(st.lists(st.tuples(st.sampled_from(["chunk", "reasoning"]), TEXTS), max_size=12))
def test_neighbours_of_one_kind_are_one_frame(words: list[tuple[str, str]]) -> None:
    log = [chunk(seq, text, type=kind) for seq, (kind, text) in enumerate(words)]
    runs = [kind for kind, _ in groupby(kind for kind, _ in words)]
    told = [json.loads(event.data)["type"] for event in by_the_specification(frames.encode(log))]
    assert told == runs


def test_ten_thousand_chunks_are_a_handful_of_frames() -> None:
    log = [chunk(seq, "some words ") for seq in range(10_000)]
    read = by_the_specification(frames.encode(log))
    assert len(read) <= 3
    assert "".join(json.loads(event.data)["content"] for event in read) == "some words " * 10_000
    assert read[-1].id == "5-9999"
    assert json.loads(read[-1].data)["ms"] == 9999


@pytest.mark.parametrize(
    "second",
    [
        chunk(2, "b", type="reasoning"),
        chunk(2, "b", generation="2"),
        chunk(2, "b", language="de"),
        Entry(Position(5, 2), {"type": "metadata", "status": "started", "generation": "1", "attempt": "2"}),
        Entry(Position(5, 2), {"type": "weather"}),
        chunk(2, "b", ms="soon"),
    ],
    ids=["another kind", "another generation", "an unknown field", "another attempt", "an unknown type", "no time"],
)
def test_what_is_not_alike_stays_apart(second: Entry) -> None:
    for log in ([chunk(1, "a"), second], [second, chunk(3, "a")]):
        assert [event.id for event in by_the_specification(frames.encode(log))] == [str(entry.id) for entry in log]


def test_a_call_of_a_tool_between_words_keeps_them_apart() -> None:
    call = {"type": "tool", "generation": "1", "callId": "c", "name": "f", "arguments": '{"content":1}', "ms": "2"}
    log = [chunk(1, "a"), Entry(Position(5, 2), call), Entry(Position(5, 3), call), chunk(4, "b")]
    raw = [[str(entry.id).encode(), [part.encode() for pair in entry.fields.items() for part in pair]] for entry in log]
    assert frames.joined(raw) == log
    read = by_the_specification(frames.encode(log))
    assert [event.id for event in read] == [str(entry.id) for entry in log]
    assert json.loads(read[1].data) == {**call, "generation": 1, "ms": 2}


def test_an_attempt_is_never_joined_with_the_one_before() -> None:
    again = Entry(Position(6, 0), {"type": "metadata", "status": "started", "generation": "1", "attempt": "2"})
    log = [chunk(1, "lost"), again, Entry(Position(6, 1), chunk(1, "kept").fields)]
    assert [event.id for event in by_the_specification(frames.encode(log))] == ["5-1", "6-0", "6-1"]


def test_an_entry_is_typed_as_the_contract_says() -> None:
    fields = {"type": "metadata", "status": "failed", "generation": "3", "ms": "7", "retryable": "true", "usage": "[1]"}
    [event] = by_the_specification(frames.encode([Entry(Position(5, 0), fields)]))
    typed = {"type": "metadata", "status": "failed", "generation": 3, "ms": 7, "retryable": True, "usage": [1]}
    assert json.loads(event.data) == typed


@bounded
@given(logs())
def test_what_is_joined_before_it_is_decoded_says_the_same(log: list[Entry]) -> None:
    raw = [
        (str(at).encode(), [part.encode("utf-8", "replace") for pair in each.items() for part in pair])
        for at, each in log
    ]
    told = [
        (event.id or "", json.loads(event.data)) for event in by_the_specification(frames.encode(frames.joined(raw)))
    ]
    assert folded(told) == folded(
        [
            (str(at), events.event(events.decode((at_raw, flat)).fields))
            for (at, _), (at_raw, flat) in zip(log, raw, strict=True)
        ]
    )


@bounded
@given(st.lists(st.tuples(st.sampled_from(["chunk", "reasoning"]), TEXTS), max_size=30))
def test_our_own_writers_neighbours_become_one_frame(deltas: list[tuple[str, str]]) -> None:
    def fields(kind: str, text: str) -> dict[str, str]:
        return {"type": kind, "generation": "1", "content": text.encode("utf-8", "replace").decode(), "ms": "5"}

    log = [Entry(Position(9, seq), fields(*delta)) for seq, delta in enumerate(deltas)]
    raw = [(str(at).encode(), [part.encode() for pair in each.items() for part in pair]) for at, each in log]
    assert frames.joined(raw) == list(frames.merge(log))


@pytest.mark.parametrize(
    "usage", ["NaN", "-Infinity", '{"a": 1e999}', '"\\ud83c"', pytest.param("[" * 100_000, id="deep")]
)
def test_a_usage_that_is_no_json_for_others_is_carried_as_text(usage: str) -> None:
    [event] = by_the_specification(frames.encode([Entry(Position(5, 0), {"type": "metadata", "usage": usage})]))
    assert json.loads(event.data) == {"type": "metadata", "usage": usage}


def test_nothing_is_framed_as_nothing() -> None:
    assert frames.encode([]) == b""


@each_parser
@given(TEXTS, st.integers(0, 10_000))
@example("gone", 1000)
@bounded
def test_a_reset_has_no_id(parse: Callable[[bytes], list[Event]], reason: str, retry_ms: int) -> None:
    [event] = parse(frames.retry(retry_ms) + frames.reset(reason))
    assert (event.id, event.retry) == (None, retry_ms)
    assert json.loads(event.data) == {"type": "reset", "reason": reason}


@each_parser
def test_a_ping_is_one_comment_line_that_nobody_takes_for_an_event(parse: Callable[[bytes], list[Event]]) -> None:
    assert frames.PING == b": ping\n"
    told = frames.PING + frames.encode([chunk(1, "a")]) + frames.PING * 3 + frames.encode([chunk(2, "b")]) + frames.PING
    assert [json.loads(event.data)["content"] for event in parse(told)] == ["a", "b"]
