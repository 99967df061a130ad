"""Entries as they stand in Redis, events as clients get them: typed where the contract says so, and only there."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import events
from shared.events import Entry
from shared.position import Position
from tests.shared.strategies import ANY_FIELDS, TEXTS, bounded

NUMBERS = ["generation", "attempt", "replaces", "maxTokens", "ms", "chunks", "durationMs", "ttftMs"]
TEXT_FIELDS = [
    "type",
    "status",
    "prompt",
    "provider",
    "model",
    "startedAt",
    "content",
    "finishReason",
    "digest",
    "code",
]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("value", "number"), [("0", 0), ("7", 7), ("007", 7), ("9007199254740993", 9007199254740993)])
def test_a_number_is_a_number(name: str, value: str, number: int) -> None:
    assert events.event({name: value}) == {name: number}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["", " ", "-1", "+1", "1.0", "1e3", "one", "1_0", "٣", "²", "9" * 20, "9" * 5000])
def test_a_number_that_is_none_stays_a_string(name: str, value: str) -> None:
    assert events.event({name: value}) == {name: value}


@pytest.mark.parametrize("name", ["temperature", "topP"])
@pytest.mark.parametrize(
    ("value", "wanted"),
    [("0.7", 0.7), ("1", 1), ("1e-07", 1e-07), ("-1", -1), ("NaN", "NaN"), ("1e999", "1e999"), ("true", "true"),
     ('"1"', '"1"'), ("[1]", "[1]"), ("", ""), ("warm", "warm"), ("9" * 5000, "9" * 5000)],
)  # fmt: skip
def test_a_setting_is_a_number_or_a_foreign_string(name: str, value: str, wanted: Any) -> None:
    assert events.event({name: value}) == {name: wanted}


@pytest.mark.parametrize("value", ['{"a":1}', '{"a":"b","c":null}', "[]", '"a"', "{", "", "null"])
def test_metadata_are_texts_by_name_or_a_foreign_writers_own(value: str) -> None:
    assert events.metadata(events.event({"metadata": value})) == {}
    assert events.metadata(events.event({"metadata": '{"a":"b"}'})) == {"a": "b"}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("true", True), ("false", False), ("True", "True"), ("1", "1"), ("", ""), ("yes", "yes"), ("null", "null")],
)
def test_retryable_is_true_or_false_or_a_foreign_string(value: str, wanted: Any) -> None:
    read = events.event({"retryable": value})
    assert read == {"retryable": wanted}
    assert type(read["retryable"]) is type(wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ('{"total_tokens":3,"details":{"cached":null}}', {"total_tokens": 3, "details": {"cached": None}}),
        ("[1, 2.5]", [1, 2.5]),
        ("null", None),
        ("{", "{"),
        ("", ""),
        ("many", "many"),
        ('{"a": NaN}', '{"a": NaN}'),
        ("Infinity", "Infinity"),
        ("[1e999]", "[1e999]"),
        ("9" * 5000, "9" * 5000),
        ('["\\ud83c"]', '["\\ud83c"]'),
        ("[" * 100_000, "[" * 100_000),
    ],
    ids=lambda value: str(value)[:20],
)
def test_usage_is_json_or_a_foreign_string(value: str, wanted: Any) -> None:
    assert events.event({"usage": value}) == {"usage": wanted}


@pytest.mark.parametrize("name", [*TEXT_FIELDS, "sources", "Generation", "ms ", ""])
@pytest.mark.parametrize("value", ["7", "true", "{}", "null", "\0\u2028"])
def test_everything_else_is_a_string(name: str, value: str) -> None:
    assert events.event({name: value}) == {name: value}


@bounded
@given(st.dictionaries(st.one_of(st.sampled_from([*NUMBERS, "retryable", "usage"]), TEXTS), TEXTS))
def test_every_event_is_json_for_everybody(fields: dict[str, str]) -> None:
    event = events.event(fields)
    assert event.keys() == fields.keys()
    assert json.loads(json.dumps(event, allow_nan=False).encode()) == event


def raw(entry_id: bytes, *flat: bytes) -> list[Any]:
    """An entry as it comes in a reply."""
    return [entry_id, list(flat)]


def test_an_entry_is_read_from_a_reply() -> None:
    read = events.decode(raw(b"5-1", b"type", b"chunk", b"content", "é\0\n🌊".encode()))
    assert read == Entry(Position(5, 1), {"type": "chunk", "content": "é\0\n🌊"})


def test_bytes_that_are_no_utf8_stop_nobody() -> None:
    read = events.decode(raw(b"5-1", b"type", b"chunk", b"content", b"a\xffb\xed\xa0\xbd", b"\xfe", b"x"))
    assert read.fields == {"type": "chunk", "content": "a\ufffdb\ufffd\ufffd\ufffd", "\ufffd": "x"}


@bounded
@given(ANY_FIELDS)
def test_what_a_writer_puts_into_redis_a_reader_takes_out(fields: dict[str, str]) -> None:
    flat = [part.encode() for pair in fields.items() for part in pair]
    assert events.decode(raw(b"5-1", *flat)).fields == fields


@pytest.mark.parametrize(
    ("fields", "started", "terminal"),
    [
        ({"type": "metadata", "status": "started"}, True, False),
        ({"type": "metadata", "status": "completed"}, False, True),
        ({"type": "metadata", "status": "stopped"}, False, True),
        ({"type": "metadata", "status": "failed"}, False, True),
        ({"type": "metadata", "status": "paused"}, False, False),
        ({"type": "metadata"}, False, False),
        ({"type": "chunk", "status": "completed"}, False, False),
        ({"status": "failed"}, False, False),
        ({}, False, False),
    ],
)
def test_which_entries_begin_and_end_an_answer(fields: dict[str, str], started: bool, terminal: bool) -> None:
    assert (events.is_started(fields), events.is_terminal(fields)) == (started, terminal)
