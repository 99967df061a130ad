"""Entries as OpenAI's Responses: the same events for the same entries, however they come, and valid to the clients."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response as Theirs
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from services.consume_stream.dialects.responses import Responses
from shared.dialects.response import Response, usage
from shared.dialects.response_ids import ResponseId, parse
from shared.events import Entry
from shared.position import Position

WHICH = ResponseId("a_session_2", 3)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

STARTED = {"type": "metadata", "status": "started", "attempt": "1", "model": "m", "prompt": "?"}
END = {"type": "metadata", "status": "completed", "ms": "2500", "finishReason": "stop"}


def chunk(text: str) -> dict[str, str]:
    return {"type": "chunk", "content": text, "ms": "1"}


def thought(text: str) -> dict[str, str]:
    return {"type": "reasoning", "content": text, "ms": "1"}


def tool(call: str = "call_1", arguments: str = '{"city":"Bern"}') -> dict[str, str]:
    return {"type": "tool", "callId": call, "name": "weather", "arguments": arguments, "ms": "1"}


def log(*fields: dict[str, str]) -> list[Entry]:
    """Entries of one generation; each attempt's a second later."""
    entries, ms, seq = [], 1_700_000_000_000, -1
    for each in fields:
        begins = each.get("status") == "started"
        ms, seq = (ms + 1000, 0) if begins else (ms, seq + 1)
        entries.append(Entry(Position(ms, seq), {"generation": str(WHICH.generation), **each}))
    return entries


def told(entries: list[Entry], starting_after: int = -1) -> list[dict[str, Any]]:
    """The events, as a client gets them."""
    frames = Responses(WHICH, starting_after).take(entries).decode().split("\n\n")
    assert frames.pop() == ""
    events = [json.loads(frame.partition("\ndata: ")[2]) for frame in frames]
    assert [frame.partition("\n")[0] for frame in frames] == [f"event: {event['type']}" for event in events]
    return events


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


STORY = log(
    STARTED, thought("Hm"), thought("…"), chunk("Let me "), chunk("see."), tool(), STARTED | {"attempt": "2"},
    thought("Again"), chunk("Bern: "), tool("call_2", ""), tool(), chunk("sun."), END,
)  # fmt: skip


@given(st.lists(st.integers(1, 4), min_size=len(STORY)), st.integers(-1, 70))
def test_the_same_events_however_the_entries_come_and_wherever_a_reader_goes_on(
    sizes: list[int], starting_after: int
) -> None:
    whole, fold, at, parts = Responses(WHICH).take(STORY), Responses(WHICH, starting_after), 0, b""
    for size in sizes:
        parts += fold.take(STORY[at : at + size])
        at += size
    events = told(STORY)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    frames = whole.split(b"\n\n")
    assert parts == b"\n\n".join(frames[starting_after + 1 :])
    assert fold.over


@pytest.mark.parametrize("entries", [STORY, log(chunk("No beginning."), END), log(STARTED, END)])
def test_events_and_objects_are_what_the_client_knows(entries: list[Entry]) -> None:
    events = told(entries)
    for event in events:
        EVENT.validate_python(event)
    Theirs.model_validate(events[-1]["response"], strict=True)
    assert kinds(events)[:2] == ["created", "in_progress"]
    assert events[-1]["response"] == Response.of(WHICH, entries)


def test_an_item_for_each_run_of_one_kind() -> None:
    events = told(log(STARTED, thought("Hm"), chunk("One "), chunk("two."), tool(), END))
    assert kinds(events)[2:] == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.done",
        "content_part.done", "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call"]
    assert output == [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert output[1]["content"][0]["text"] == "One two."


ENDS = [
    (END, "completed", "completed", {}),
    (END | {"finishReason": "length"}, "incomplete", "incomplete", {"reason": "max_output_tokens"}),
    (END | {"finishReason": "max_tokens"}, "incomplete", "incomplete", {"reason": "max_output_tokens"}),
    (END | {"finishReason": "content_filter"}, "incomplete", "incomplete", {"reason": "content_filter"}),
    (END | {"status": "stopped"}, "incomplete", "cancelled", {}),
    (END | {"status": "failed", "code": "provider_cut", "error": "Broke."}, "failed", "failed", {}),
]


@pytest.mark.parametrize(("end", "event", "status", "details"), ENDS)
def test_every_way_to_end(end: dict[str, str], event: str, status: str, details: dict[str, str]) -> None:
    events = told(log(STARTED, chunk("Half"), end))
    last = events[-1]["response"]
    assert (kinds(events)[-1], last["status"], last["incomplete_details"]) == (event, status, details or None)
    assert last["output"][0]["status"] == ("completed" if status == "completed" else "incomplete")
    assert last["completed_at"] == (1_700_000_003 if status == "completed" else None)
    Theirs.model_validate(last, strict=True)
    assert (last["error"] or {}).get("message") == end.get("error")


def test_a_takeover_closes_what_was_open_and_goes_on_beside_it() -> None:
    events = told(log(STARTED, chunk("Void"), STARTED | {"attempt": "2"}, chunk("Good."), END))
    done = [event for event in events if event["type"] == "response.output_item.done"]
    assert [(event["output_index"], event["item"]["status"]) for event in done] == [(0, "incomplete"), (1, "completed")]
    assert done[0]["item"]["content"][0]["text"] == "Void"
    assert events[-1]["response"]["output"] == [done[1]["item"]]


def test_a_call_that_comes_again_after_a_takeover_is_told_once() -> None:
    events = told(log(STARTED, tool(), STARTED | {"attempt": "2"}, tool(), END))
    added = [event["item"]["id"] for event in events if event["type"] == "response.output_item.added"]
    assert [item["id"] for item in events[-1]["response"]["output"]] == added


def test_hostile_words_break_no_event() -> None:
    words = "a\u2028b\u0085c\x00d\r\n\n\ufffd🌊"
    frames = Responses(WHICH).take(log(STARTED, chunk(words), END))
    assert len(frames.decode().splitlines()) == 3 * frames.count(b"event: ")
    deltas = [event["delta"] for event in told(log(STARTED, chunk(words), END)) if "delta" in event]
    assert deltas == [words]


@pytest.mark.parametrize(
    ("started", "previous"),
    [({}, 2), ({"after": "1"}, 1), ({"after": "0"}, None), ({"after": "x"}, None)],
)
def test_which_response_it_goes_on_from(started: dict[str, str], previous: int | None) -> None:
    said = Response.of(WHICH, log(STARTED | started))["previous_response_id"]
    assert said == (f"resp_{WHICH.session}_{previous}" if previous else None)


OPENAI = {
    "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13, "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}  # fmt: skip
ANTHROPIC = {"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 3}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (OPENAI, (9, 2, 0, 4, 1, 13)),
        (ANTHROPIC, (14, 2, 3, 4, 0, 18)),
        ({"input_tokens": 9, "output_tokens": 4, "cache_creation_input_tokens": "?"}, (9, 0, 0, 4, 0, 13)),
    ],
)
def test_what_a_vendor_counted(said: dict[str, Any], expected: tuple[int, ...]) -> None:
    counted = usage(said)
    assert counted
    read, answered = counted["input_tokens_details"], counted["output_tokens_details"]
    assert expected == (
        counted["input_tokens"], read["cached_tokens"], read["cache_write_tokens"], counted["output_tokens"],
        answered["reasoning_tokens"], counted["total_tokens"],
    )  # fmt: skip
    assert usage("none") is None


@given(st.from_regex("[A-Za-z0-9_-]{8,64}", fullmatch=True), st.integers(1, 999_999_999))
def test_an_id_is_read_as_it_was_written(session: str, generation: int) -> None:
    which = ResponseId(session, generation)
    assert parse(str(which)) == which


@pytest.mark.parametrize(
    "text", ["", "resp_", "resp_short_1", "resp_a_session", "resp_a_session_0", "resp_a_session_٣"]
)
def test_what_is_no_id(text: str) -> None:
    assert parse(text) is None


def test_a_large_answer_holds_up_nobody_for_long() -> None:
    entries = log({"status": "started", "type": "metadata"}, *[chunk("x" * 100)] * 20_000)
    began = time.process_time()
    assert len(Responses(WHICH).take(entries)) > 2_000_000
    assert time.process_time() - began < 2
