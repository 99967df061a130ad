"""What the command prints of an answer that begins anew, of a log that is told again, and of several answers."""

import contextlib
import io
from pathlib import Path

import pytest

from rejoin import AnyEvent, Reset, Started
from rejoin.command.memory import Memory, Remembered
from rejoin.command.screen import Screen
from rejoin.command.watching import COMPLETE, VOID, Watching
from rejoin.events import parse

SESSION = "session-1"


class Never:
    """No signal comes."""

    def held(self) -> contextlib.nullcontext[None]:
        return contextlib.nullcontext()


def event(position: str, kind: str, **fields: object) -> AnyEvent:
    """One event: `started`, `completed`, or words."""
    status = {"status": kind} if kind in ("started", "completed") else {}
    type_ = "metadata" if status else "chunk"
    found = parse(position, {"type": type_, "generation": 1, "content": kind, **status, **fields})
    assert isinstance(found, AnyEvent)
    return found


BEGUN = [event("1-0", "started", attempt=1), event("1-1", "some "), event("1-2", "words")]
SAME = [
    event("2-0", "started", attempt=2),
    event("2-1", "some words"),
    event("2-2", ", all"),
    event("2-3", "completed"),
]
OTHER = [event("2-0", "started", attempt=2), event("2-1", "none"), event("2-2", "completed")]
SECOND = [event("3-0", "started", generation=2), event("3-1", "more", generation=2)]
SECOND_END = event("3-2", "completed", generation=2)
RESET = Reset(reason="unknown", data={})


def watched(events: list[AnyEvent], memory: Memory, since: int = 1, *, as_json: bool = False) -> tuple[int, str, str]:
    """The exit code, and what went to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err, {}, as_json=as_json)
    known = memory.recall(SESSION) or Remembered(SESSION, 0.0)
    code = Watching(screen, memory, Never(), known, since).watch(events)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """One that holds nothing yet."""
    return Memory({"XDG_STATE_HOME": str(tmp_path)}, "http://a.example")


def test_an_attempt_that_says_the_same_again_is_printed_once(memory: Memory) -> None:
    assert watched([*BEGUN, *SAME], memory) == (COMPLETE, "some words, all\n", "")


def test_one_that_differs_is_printed_anew_and_says_so(memory: Memory) -> None:
    code, out, err = watched([*BEGUN, *OTHER], memory)
    assert (code, out) == (VOID, "some words\nnone\n")
    assert "begun anew" in err


def test_both_hold_over_two_runs_too(memory: Memory) -> None:
    assert watched(BEGUN, memory)[1] == "some words\n"
    assert watched(SAME, memory) == (COMPLETE, ", all\n", "")
    found = memory.recall(SESSION)
    assert found
    assert (found.position, found.generation, found.shown) == ("2-3", 1, "")


def test_what_a_program_has_read_is_no_words_that_a_reader_has_seen(memory: Memory) -> None:
    watched(BEGUN[:2], memory)
    assert '"content":"words"' in watched(BEGUN[2:], memory, as_json=True)[1]
    assert watched(OTHER, memory) == (COMPLETE, "none\n", "")


def test_a_log_that_is_told_from_its_beginning_is_printed_from_where_it_was_left(memory: Memory) -> None:
    watched(BEGUN, memory)
    assert watched([RESET, *BEGUN, event("1-3", "!"), event("1-4", "completed")], memory)[1] == "!\n"


def test_answers_before_the_one_that_is_shown_are_passed_over_and_later_ones_named(memory: Memory) -> None:
    events = [*BEGUN, event("1-3", "completed"), *SECOND, SECOND_END]
    assert watched(events, memory, since=2) == (COMPLETE, "more\n", "")
    memory.forget(SESSION)
    assert watched(events, memory) == (COMPLETE, "some words\nmore\n", "")  # it goes on from tools: no question
    memory.forget(SESSION)
    asked = event("3-0", "started", generation=2, prompt="And?\x1b[2J")
    assert isinstance(asked, Started)
    code, out, err = watched([*BEGUN, event("1-3", "completed"), asked, *SECOND[1:], SECOND_END], memory)
    assert (code, out, err) == (COMPLETE, "some words\nmore\n", "> And?\n")
