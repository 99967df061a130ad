"""The chunks of a completion: the same however the entries come, and every end told in OpenAI's words."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from services.consume_stream.dialects.completions_fold import CompletionFold
from shared import events
from shared.dialects import completion, failures
from shared.events import Entry
from shared.position import Position
from shared.view import Answer, View
from tests.shared.strategies import bounded, logs

STARTED = {
    "type": "metadata", "status": "started", "generation": "1", "attempt": "1", "prompt": "?", "provider": "openai",
    "model": "m", "startedAt": "2026-01-01T00:00:00.500Z",
}  # fmt: skip
CREATED = 1_767_225_600
CALL = {"type": "tool", "generation": "1", "callId": "call_1", "name": "look", "arguments": '{"a": 1}', "ms": "3"}
BILL = '{"prompt_tokens": 3, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}}'


def words(text: str, kind: str = "chunk") -> dict[str, str]:
    return {"type": kind, "generation": "1", "content": text, "ms": "1"}


def ended(status: str = "completed", **more: str) -> dict[str, str]:
    return {"type": "metadata", "status": status, "generation": "1", "ms": "9", **more}


def entries(*fields: dict[str, str]) -> list[Entry]:
    """A log of these."""
    return [Entry(Position(1, at), each) for at, each in enumerate(fields)]


def told(batches: Iterable[list[Entry]], *, include_usage: bool = False) -> tuple[CompletionFold, list[Any]]:
    """The fold after these batches, and what a client's own parser made of its frames."""
    fold = CompletionFold("chatcmpl-a-session-1", include_usage=include_usage)
    raw = b"".join(fold.take(batch) for batch in batches)
    data = [event.data for event in SSEDecoder().iter_bytes(iter([raw]))]
    return fold, [each if each == "[DONE]" else json.loads(each) for each in data]


def choices(frames: list[Any]) -> list[tuple[dict[str, Any], str | None]]:
    """Delta and reason of each chunk, neighbouring words joined."""
    found: list[tuple[dict[str, Any], str | None]] = []
    for frame in frames:
        for choice in frame.get("choices", ()) if isinstance(frame, dict) else ():
            delta, reason = choice["delta"], choice["finish_reason"]
            if found and found[-1][1] is None and len(delta) == 1 and found[-1][0].keys() == delta.keys():
                [(name, text)] = delta.items()
                if isinstance(text, str):
                    found[-1] = ({name: found[-1][0][name] + text}, reason)
                    continue
            found.append((delta, reason))
    return found


@bounded
@given(logs(), st.lists(st.integers(0, 20), max_size=5))
def test_however_the_entries_come_a_client_reads_the_same(log: list[Entry], cuts: list[int]) -> None:
    edges = pairwise([0, *sorted(cuts), len(log)])
    in_pieces, one_by_one = told(log[a:b] for a, b in edges), told([each] for each in log)
    whole_fold, whole = told([log])
    for fold, frames in (in_pieces, one_by_one):
        assert (fold.over, fold.void) == (whole_fold.over, whole_fold.void)
        assert choices(frames) == choices(whole)
        assert [each for each in frames if "choices" not in each] == [each for each in whole if "choices" not in each]
    for frame in whole:
        if frame != "[DONE]" and "choices" in frame:
            ChatCompletionChunk.model_validate(frame, strict=False)


def test_a_whole_answer() -> None:
    log = entries(
        STARTED, words("hm", "reasoning"), words("One\u2028"), words("\0🌊\ufffd"), CALL, {"type": "new"},
        ended(finishReason="tool_use", usage=BILL), words("late"),
    )  # fmt: skip
    fold, frames = told([log], include_usage=True)
    assert (fold.over, fold.void) == (True, False)
    called = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    assert choices(frames) == [
        ({"role": "assistant", "content": ""}, None),
        ({"reasoning_content": "hm"}, None),
        ({"content": "One\u2028\0🌊\ufffd"}, None),
        ({"tool_calls": [{"index": 0, **called}]}, None),
        ({}, "tool_calls"),
    ]
    *chunks, bill, done = frames
    assert done == "[DONE]"
    assert bill["choices"] == []
    assert (bill["usage"]["total_tokens"], bill["usage"]["completion_tokens_details"]) == (5, {"reasoning_tokens": 1})
    head = {name: chunks[0][name] for name in ("id", "object", "created", "model")}
    assert head == {
        "id": "chatcmpl-a-session-1", "object": "chat.completion.chunk", "created": CREATED, "model": "m",
    }  # fmt: skip
    assert all(chunk | head == chunk and chunk["usage"] is None for chunk in chunks)


@pytest.mark.parametrize(
    ("end", "called", "reason"),
    [
        (ended(finishReason="stop"), False, "stop"),
        (ended(finishReason="end_turn"), False, "stop"),
        (ended(finishReason="stop"), True, "tool_calls"),
        (ended(finishReason="max_tokens"), True, "length"),
        (ended(finishReason="length_cap"), False, "length"),
        (ended(finishReason="refusal"), False, "content_filter"),
        (ended(), False, "stop"),
        (ended("stopped", finishReason="stopped"), False, "stop"),
        (ended("stopped", finishReason="orphaned"), False, "stop"),
    ],
)
def test_every_reason_for_an_end(end: dict[str, str], called: bool, reason: str) -> None:
    log = entries(STARTED, *([CALL] if called else []), end)
    fold, frames = told([log], include_usage=True)
    assert fold.over
    assert choices(frames)[-1] == ({}, reason)
    assert (frames[-1], "usage" in frames[-2]) == ("[DONE]", True)
    whole = ChatCompletion.model_validate(completion.completion("a-session", answer(log)), strict=True)
    assert whole.choices[0].finish_reason == reason
    assert (whole.id, whole.created, whole.usage) == ("chatcmpl-a-session-1", CREATED, None)


def answer(log: list[Entry]) -> Answer:
    view = View()
    for entry in log:
        view.apply(None, events.event(entry.fields))
    return view.answers[1]


def test_a_failure_is_an_error_and_no_end() -> None:
    fold, frames = told([entries(STARTED, words("Half"), ended("failed", code="provider_rate_limited", error="No."))])
    assert fold.over
    said = {"message": "No.", "type": "rate_limit_error", "param": None, "code": "provider_rate_limited"}
    assert frames[-1] == {"error": said}


def test_a_takeover_is_void_once_something_was_said() -> None:
    again = STARTED | {"attempt": "2", "startedAt": "2026-01-01T00:01:00Z"}
    fold, frames = told([entries(STARTED, again), entries(words("One."), ended())])
    assert (fold.over, fold.void) == (True, False)
    assert {frame["created"] for frame in frames[:-1]} == {CREATED}
    assert choices(frames) == [({"role": "assistant", "content": ""}, None), ({"content": "One."}, None), ({}, "stop")]
    for said in (words("Ha"), words("hm", "reasoning"), CALL):
        fold, frames = told([entries(STARTED, said, again, words("One."), ended())])
        assert (fold.over, fold.void) == (False, True)
        assert frames[-1] != "[DONE]"


@pytest.mark.parametrize(
    ("bill", "counts"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}, (3, 2, 1)),
        ({"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5},
         (12, 2, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": None}, (3, 2, 0)),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": -3, "completion_tokens": 2}, None),
        ({"completion_tokens": 2}, None),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_any_vendor_s_bill(bill: Any, counts: tuple[int, int, int] | None) -> None:
    usage = completion.usage(bill)
    if counts is None:
        assert usage is None
        return
    assert usage
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (*counts[:2], sum(counts[:2]))
    assert usage["prompt_tokens_details"]["cached_tokens"] == counts[2]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("chatcmpl-abcdefgh-1", ("abcdefgh", 1)),
        ("chatcmpl-a-b_c-d-1-2-12", ("a-b_c-d-1-2", 12)),
        ("chatcmpl-abcdefgh-0", None),
        ("chatcmpl-abcdefgh-01", None),
        ("chatcmpl-abcdefgh-9999999999", None),
        ("chatcmpl-abc-1", None),
        ("chatcmpl-abcdefgh", None),
        ("resp_abcdefgh_1", None),
        ("chatcmpl-abcdefgh-1\n", None),
        ("chatcmpl-abcdefgh-١", None),
    ],
)
def test_an_id_names_a_place(name: str, place: tuple[str, int] | None) -> None:
    assert completion.place_of(name) == place
    if place:
        assert completion.id_of(*place) == name


def test_a_time_that_is_none_is_the_beginning_of_time() -> None:
    assert [completion.created(text) for text in ("", "soon", "0001-01-01T00:00:00Z")] == [0, 0, 0]


def test_only_the_client_s_own_faults_are_a_400() -> None:
    assert [failures.status_of(code) for code in ("provider_auth", "provider_refused", "producer_lost", "")] == [
        502, 400, 502, 502,
    ]  # fmt: skip
