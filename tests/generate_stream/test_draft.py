"""The draft: whatever the deltas and their splits, the entries say just what was added, up to the limit."""

import hashlib
import json
from itertools import groupby
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.generate_stream.attempt import Fields
from services.generate_stream.draft import ENTRY_MAX_BYTES, Draft, size_of
from shared.text import whole
from tests.shared.strategies import bounded

Said = list[tuple[str, str]]
"""Texts, each with its type."""

STARTED = {"type": "metadata", "status": "started", "generation": "4", "attempt": "1"}
UNLIMITED = 10**9

KINDS = st.sampled_from(["chunk", "reasoning"])
# Halves of surrogate pairs alone and together, and characters of one to four bytes.
TEXTS = st.lists(st.sampled_from(["\ud83c", "\udf0a", "\ud83c\udf0a", "🌊", "a", "é", "\u2028", "\0"]), max_size=6)
LENGTHS = st.sampled_from([1, 1, 1, 700, 3000])
ADDED = st.tuples(KINDS, st.builds(lambda parts, length: "".join(parts) * length, TEXTS, LENGTHS))
STEPS = st.lists(st.one_of(ADDED, st.just("cut")), max_size=14)
LIMITS = st.sampled_from([0, 1, 2, 3, 4, 5, 100, 5_000, ENTRY_MAX_BYTES, ENTRY_MAX_BYTES + 1, UNLIMITED])


def drafted(steps: list[Any], limit: int = UNLIMITED, **end: Any) -> Draft:
    """A draft that was told all this, a millisecond each, and then that it is the end."""
    draft = Draft(4, STARTED, limit)
    for ms, step in enumerate(steps, 1):
        if step == "cut":
            draft.cut()
        else:
            draft.add(step[0], step[1], ms)
    draft.end("completed", 1000, **end)
    return draft


def wanted(steps: list[Any], limit: int) -> Said:
    """What the entries must say: neighbours of a type joined, whole, and no more of it than the limit."""
    added = [step for step in steps if step != "cut" and step[1]]
    said = []
    for kind, run in groupby(added, key=lambda step: str(step[0])):
        text = whole("".join(text for _, text in run))
        kept = text.encode()[:limit].decode("utf-8", "ignore")
        said.append((kind, kept))
        limit -= len(kept.encode())
        if kept != text:
            break
    return [(kind, text) for kind, text in said if text]


def said(entries: list[Fields]) -> Said:
    """What entries say, neighbours of a type joined."""
    return [
        (kind, "".join(entry["content"] for entry in run)) for kind, run in groupby(entries, key=lambda e: e["type"])
    ]


@bounded
@given(STEPS, LIMITS)
@example([("chunk", "\ud83c"), ("reasoning", "a")], 2)
@example([("chunk", "ab"), ("chunk", "\ud83c"), ("reasoning", "a")], 2)
@example([("chunk", "\ud83c"), ("reasoning", ""), ("chunk", "\udf0a")], UNLIMITED)
def test_the_entries_say_what_was_added_up_to_the_limit(steps: list[Any], limit: int) -> None:
    draft = drafted(steps, limit)
    assert said(draft.entries[1:-1]) == wanted(steps, limit)
    assert draft.reached_limit == (wanted(steps, limit) != wanted(steps, UNLIMITED))
    assert draft.size == sum(len(text.encode()) for _, text in wanted(steps, limit)) <= limit


@bounded
@given(STEPS, LIMITS)
def test_when_entries_are_cut_changes_nothing_of_the_text(steps: list[Any], limit: int) -> None:
    at_once, at_the_end = [], []
    for step in steps:
        at_once += [step, "cut"]
        at_the_end += [step] if step != "cut" else []
    texts = [said(drafted(each, limit).entries[1:-1]) for each in (steps, at_once, at_the_end)]
    assert texts[0] == texts[1] == texts[2]


@bounded
@given(STEPS, LIMITS)
def test_every_entry_is_filled_small_and_in_order(steps: list[Any], limit: int) -> None:
    first, *words, last = drafted(steps, limit).entries
    assert first == STARTED
    assert (last["type"], last["status"]) == ("metadata", "completed")
    times = [int(entry["ms"]) for entry in [*words, last]]
    assert times == sorted(times)
    for entry in words:
        assert set(entry) == {"type", "generation", "content", "ms"}
        assert entry["generation"] == "4"
        assert 0 < len(entry["content"].encode()) <= ENTRY_MAX_BYTES


@bounded
@given(STEPS, LIMITS)
def test_the_end_counts_and_digests_what_the_chunks_say(steps: list[Any], limit: int) -> None:
    *_, last = entries = drafted(steps, limit).entries
    chunks = [entry["content"] for entry in entries if entry["type"] == "chunk"]
    assert last["chunks"] == str(len(chunks))
    assert last["digest"] == hashlib.sha256("".join(chunks).encode()).hexdigest()


@bounded
@given(STEPS)
def test_an_entry_that_was_made_never_changes(steps: list[Any]) -> None:
    draft = Draft(4, STARTED, UNLIMITED)
    seen: list[Fields] = []
    for ms, step in enumerate(steps):
        if step != "cut":
            draft.add(step[0], step[1], ms)
        draft.cut()
        assert draft.entries[: len(seen)] == seen
        assert not draft.has_gathered()
        seen = [dict(entry) for entry in draft.entries]


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
def test_an_emoji_split_over_deltas_arrives_whole(pieces: int) -> None:
    units = "👩‍🚀🌊".encode("utf-16-le", "surrogatepass")
    halves = [units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)]
    texts = ["".join(halves[at : at + pieces]) for at in range(0, len(halves), pieces)]
    assert said(drafted([("chunk", text) for text in texts]).entries[1:-1]) == [("chunk", "👩‍🚀🌊")]


def test_half_an_emoji_at_the_end_is_one_replacement() -> None:
    draft = drafted([("chunk", "a"), "cut", ("chunk", "\ud83c"), "cut"])
    assert [entry["content"] for entry in draft.entries[1:-1]] == ["a", "\ufffd"]


def test_deltas_that_gather_become_one_entry_and_those_after_a_cut_another() -> None:
    draft = drafted([("chunk", "a"), ("chunk", "b"), "cut", ("chunk", "c"), ("reasoning", "d")])
    assert [(entry["type"], entry["content"], entry["ms"]) for entry in draft.entries[1:-1]] == [
        ("chunk", "ab", "2"),
        ("chunk", "c", "4"),
        ("reasoning", "d", "5"),
    ]


def test_the_end_says_how_long_and_how_it_was() -> None:
    last = drafted([("chunk", ""), ("reasoning", "a")], finish_reason="stop", usage={"total_tokens": 3}).entries[-1]
    assert (last["ms"], last["durationMs"], last["ttftMs"]) == ("1000", "1000", "2")
    assert (last["finishReason"], json.loads(last["usage"])) == ("stop", {"total_tokens": 3})


@pytest.mark.parametrize(
    ("steps", "ttft_ms"),
    [
        ([("reasoning", ""), ("reasoning", "a"), ("chunk", "b")], "2"),
        # Half a character is no word until it is known that the other half does not come.
        ([("reasoning", "\ud83c"), ("chunk", "b")], "2"),
        ([("chunk", "\ud83c")], "1000"),
    ],
)
def test_the_first_words_are_timed_whatever_they_are(steps: list[Any], ttft_ms: str) -> None:
    assert drafted(steps).entries[-1]["ttftMs"] == ttft_ms


def test_an_end_without_words_has_no_first_token_and_no_usage() -> None:
    last = drafted([]).entries[-1]
    assert {"ttftMs", "usage", "finishReason", "code"} & set(last) == set()
    assert (last["chunks"], last["digest"]) == ("0", hashlib.sha256(b"").hexdigest())


def test_a_failure_says_why() -> None:
    draft = Draft(4, STARTED, UNLIMITED)
    draft.end("failed", 7, code="provider_cut", error="It broke off.", retryable="true")
    assert draft.status == "failed"
    told = {"status": "failed", "code": "provider_cut", "error": "It broke off.", "retryable": "true"}
    assert told.items() <= draft.entries[-1].items()


def test_past_its_limit_it_takes_nothing_more() -> None:
    draft = Draft(4, STARTED, 5)
    draft.add("chunk", "abcd", 1)
    assert not draft.reached_limit
    draft.add("reasoning", "éé", 2)
    assert draft.reached_limit
    draft.add("chunk", "x", 3)
    draft.end("completed", 4)
    # One byte was left, and é takes two.
    assert said(draft.entries[1:-1]) == [("chunk", "abcd")]


def test_after_its_end_it_takes_nothing_more_and_no_other_end() -> None:
    draft = drafted([("chunk", "a")])
    entries = [dict(entry) for entry in draft.entries]
    draft.add("chunk", "b", 1001)
    draft.end("stopped", 1002)
    draft.cut()
    assert (draft.entries, draft.status) == (entries, "completed")


@bounded
@given(STEPS)
def test_the_size_on_the_wire_is_never_guessed_too_small(steps: list[Any]) -> None:
    for entry in drafted(steps).entries:
        assert size_of(entry) >= sum(len(name.encode()) + len(value.encode()) for name, value in entry.items())


def test_a_call_is_one_entry_in_its_place_and_counts_whole() -> None:
    draft = Draft(4, STARTED, UNLIMITED)
    draft.add("chunk", "a\ud83c", 1)
    draft.announce(5)
    draft.call("id", "f\ud800", "x" * ENTRY_MAX_BYTES * 2, 2)
    draft.add("chunk", "b", 3)
    draft.end("completed", 4)
    words, call, more, end = draft.entries[1:]
    assert (words["content"], more["content"], end["chunks"]) == ("a\ufffd", "b", "2")
    told = {"callId": "id", "name": "f\ufffd", "arguments": "x" * ENTRY_MAX_BYTES * 2}
    assert call == {"type": "tool", "generation": "4", **told, "ms": "2"}
    assert draft.size == len("a\ufffdb".encode()) + len("idf\ufffd".encode()) + 2 * ENTRY_MAX_BYTES
    assert end["digest"] == hashlib.sha256("a\ufffdb".encode()).hexdigest()


@pytest.mark.parametrize(("limit", "reached"), [(10, False), (9, True), (5, True)])
def test_a_call_is_taken_whole_or_not_at_all(limit: int, reached: bool) -> None:
    draft = Draft(4, STARTED, limit)
    draft.add("chunk", "words", 1)
    draft.call("i", "f", "{ }", 2)
    draft.end("completed", 3)
    assert (draft.reached_limit, len(draft.entries)) == (reached, 3 if reached else 4)


def test_what_has_come_of_a_call_counts_before_it_is_whole() -> None:
    draft = Draft(4, STARTED, 10)
    draft.announce(10)
    assert not draft.reached_limit
    draft.announce(1)
    assert draft.reached_limit
    draft.call("i", "f", "{}", 1)
    assert draft.entries == [STARTED]


def test_the_first_call_may_be_the_first_word() -> None:
    draft = Draft(4, STARTED, 10)
    draft.call("i", "f", "{}", 7)
    assert draft.first_ms == 7
    draft.end("stopped", 8)
    draft.call("j", "f", "{}", 9)
    assert len(draft.entries) == 3
