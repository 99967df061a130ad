"""The fold: cut anywhere, resumed anywhere, told twice, it comes to the same answers."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import events
from shared.events import Entry, Event
from shared.position import NONE, Position
from shared.view import Answer, View
from tests.shared.strategies import bounded, logs

Frame = tuple[str | None, Event]


def told(log: list[Entry]) -> list[Frame]:
    """The log as frames, none merged."""
    return [(str(entry.id), events.event(entry.fields)) for entry in log]


def fold(frames: list[Frame], view: View | None = None) -> View:
    view = view or View()
    for event_id, event in frames:
        view.apply(event_id, event)
    return view


def held(view: View) -> tuple[Position, list[Answer]]:
    return view.position, list(view.answers.values())


@bounded
@given(logs(), st.data())
def test_a_viewer_cut_anywhere_and_told_some_of_it_again_holds_the_same(log: list[Entry], data: st.DataObject) -> None:
    frames = told(log)
    view = View()
    for _ in range(3):
        cut = data.draw(st.integers(0, len(frames)))
        again = data.draw(st.integers(0, cut))
        fold(frames[:cut], view)
        fold(frames[again:cut], view)
    assert held(fold(frames, view)) == held(fold(frames))


@bounded
@given(logs(), logs())
def test_a_reset_forgets_everything(before: list[Entry], after: list[Entry]) -> None:
    reset: Frame = (None, {"type": "reset", "reason": "gone"})
    assert held(fold([*told(before), reset])) == held(View()) == (NONE, [])
    assert held(fold([*told(before), reset, *told(after)])) == held(fold(told(after)))


@bounded
@given(logs())
def test_the_position_is_the_last_entrys(log: list[Entry]) -> None:
    assert fold(told(log)).position == max((entry.id for entry in log), default=NONE)


@bounded
@given(logs())
def test_unknown_types_say_nothing(log: list[Entry]) -> None:
    known = [entry for entry in log if entry.fields.get("type") in ("metadata", "chunk", "reasoning")]
    assert fold(told(log)).answers == fold(told(known)).answers


@bounded
@given(logs(), st.sampled_from(["chunk", "reasoning"]))
def test_without_a_new_attempt_no_word_is_lost_and_none_added(log: list[Entry], kind: str) -> None:
    log = [entry for entry in log if not events.is_started(entry.fields)]
    words = [entry.fields.get("content", "") for entry in log if entry.fields.get("type") == kind]
    answers = fold(told(log)).answers.values()
    texts = [answer.text if kind == "chunk" else answer.reasoning for answer in answers]
    assert sorted("".join(texts)) == sorted("".join(words))
    assert all(any(word in text for text in texts) for word in words if word)


def test_a_new_attempt_voids_what_an_earlier_one_said() -> None:
    view = fold(
        [("1-0", started(1)), ("1-1", chunk("lost", 1)), ("2-0", started(1, attempt=2)), ("2-1", chunk("kept", 1))]
    )
    [answer] = view.answers.values()
    assert (answer.attempt, answer.text, answer.status) == (2, "kept", "running")


def test_a_late_word_of_a_passed_position_is_not_heard() -> None:
    view = fold([("5-3", chunk("a", 1)), ("5-2", chunk("b", 1)), ("4-9", chunk("c", 1)), ("5-3", chunk("d", 1))])
    assert view.answers[1].text == "a"


def test_an_end_is_kept_whole() -> None:
    end = {"type": "metadata", "status": "failed", "generation": 1, "code": "provider_cut", "usage": {"total": 3}}
    [answer] = fold([("1-0", started(1)), ("1-1", end)]).answers.values()
    assert (answer.status, answer.end, answer.usage) == ("failed", end, {"total": 3})


def test_an_answer_without_an_end_has_no_usage() -> None:
    [answer] = fold([("1-0", started(1))]).answers.values()
    assert (answer.status, answer.end, answer.usage) == ("running", {}, None)


@pytest.mark.parametrize("event_id", ["1", "1-", "-1", "a-b", "1-1 ", "18446744073709551616-0"])
def test_an_id_that_is_none_is_refused_and_changes_nothing(event_id: str) -> None:
    view = fold([("1-0", started(1))])
    with pytest.raises(ValueError, match="a resume point"):
        view.apply(event_id, chunk("x", 1))
    assert held(view) == held(fold([("1-0", started(1))]))


def started(generation: int, **more: Any) -> Event:
    return {"type": "metadata", "status": "started", "generation": generation, "attempt": 1} | more


def chunk(content: str, generation: int) -> Event:
    return {"type": "chunk", "generation": generation, "content": content}


@pytest.mark.parametrize("kind", ["chunk", "reasoning"])
def test_a_large_answer_holds_up_nobody_for_long(kind: str) -> None:
    # The loop stands still meanwhile: a copy of all at each word would take seconds.
    began = time.process_time()
    view = fold([(None, {"type": kind, "generation": 1, "content": "x" * 100})] * 20_000)
    assert len(view.answers[1].text + view.answers[1].reasoning) == 2_000_000
    assert time.process_time() - began < 2
