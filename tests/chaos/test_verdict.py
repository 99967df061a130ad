"""The verdict sees what it is there for, and nothing in what is as it should be."""

from typing import Any

import pytest

from tests.chaos import verdict
from tests.chaos.finding import Finding
from tests.chaos.plan import Story, Turn
from tests.fakes.script import Script

LEASE_MS = 1000
SCRIPT = Script(text=("one ", "two ", "three "))
STORY = Story("chaos-00000-0", (Turn("Why?", "openai", SCRIPT, breaks=False),), 0, 1, (), None, ())


def entries(next_ms: int) -> list[tuple[str, dict[str, Any]]]:
    """An attempt that begins at 5000 and is last heard of 300 ms later; the next one begins at `next_ms`."""
    chunk = {"type": "chunk", "generation": "1"}
    begun = {"type": "metadata", "status": "started", "generation": "1"}
    end = {"type": "metadata", "status": "completed", "generation": "1", "chunks": "1", "ms": "40"}
    return [
        ("5000-0", begun | {"attempt": "1"}),
        ("5000-1", chunk | {"content": "one ", "ms": "300"}),
        (f"{next_ms}-0", begun | {"attempt": "2"}),
        (f"{next_ms}-1", chunk | {"content": "one two three ", "ms": "30"}),
        (f"{next_ms}-2", end | {"digest": verdict.digest("one two three ")}),
    ]


def found(next_ms: int, **changed: str) -> list[Finding]:
    """What the verdict finds, with some fields of the end changed."""
    told = entries(next_ms)
    told[-1][1].update(changed)
    return list(verdict.of_log(STORY, told, losses_possible=False, lease_ms=LEASE_MS))


def test_a_takeover_after_the_lease_is_well() -> None:
    assert found(6300) == []


def test_a_takeover_within_the_lease_is_found() -> None:
    (finding,) = found(6299)
    assert finding.kind == "wrong"
    assert "living writer" in finding.text


@pytest.mark.parametrize("changed", [{"digest": "0"}, {"chunks": "2"}])
def test_an_end_that_tells_of_another_answer_is_found(changed: dict[str, str]) -> None:
    (finding,) = found(6300, **changed)
    assert finding.kind == "wrong"


def test_words_that_are_missing_are_found() -> None:
    told = entries(6300)
    told[3][1]["content"] = "one three "
    told[4][1]["digest"] = verdict.digest("one three ")
    (finding,) = verdict.of_log(STORY, told, losses_possible=False, lease_ms=LEASE_MS)
    assert finding.kind == "lost"


def test_an_entry_that_is_missing_is_found() -> None:
    told = entries(6300)
    told[4] = ("6300-3", told[4][1])
    (finding,) = verdict.of_log(STORY, told, losses_possible=False, lease_ms=LEASE_MS)
    assert finding.kind == "lost"
