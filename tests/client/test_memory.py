"""What is remembered between two runs of the command, and what is shown when an answer begins anew."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoin.command.memory import Memory, Remembered
from rejoin.command.shown import Shown
from tests.shared.strategies import bounded

MET = Remembered("session-1", 1.0, "17-3", 2, "wörds")


def test_a_session_is_remembered_for_its_owner_alone_and_by_server(tmp_path: Path) -> None:
    home = {"XDG_STATE_HOME": str(tmp_path)}
    memory = Memory(home, "http://a.example")
    assert memory.recall("session-1") is None
    memory.keep(MET)
    memory.keep(Remembered("session-2", 2.0))
    assert memory.recall("session-1") == MET
    assert [each.session for each in memory.all()] == ["session-2", "session-1"]
    assert Memory(home, "http://b.example").all() == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".json", ".json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert memory.forget("session-1")
    assert not memory.forget("session-1")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"session": "x"}', '{"novelty": 1}', "\udcff"])
def test_a_file_that_is_broken_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    memory = Memory({"XDG_STATE_HOME": str(tmp_path)}, "http://a.example")
    memory.keep(MET)
    [file] = tmp_path.rglob("*.json")
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert memory.recall("session-1") is None
    assert memory.all() == []


def test_a_home_that_can_not_be_written_stops_nobody() -> None:
    memory = Memory({"XDG_STATE_HOME": "/dev/null"}, "http://a.example")
    memory.keep(MET)
    assert memory.all() == []


def taken(shown: Shown, pieces: list[str]) -> tuple[str, bool]:
    """What is shown of these pieces and the end."""
    showings = [shown.more(piece) for piece in pieces] + [shown.end()]
    return "".join(each.text for each in showings), any(each.anew for each in showings)


pieces = st.lists(st.text("ab", max_size=3), max_size=6)


@bounded
@given(pieces, pieces, pieces)
def test_an_answer_that_is_told_again_is_shown_once_and_one_that_differs_anew(
    first: list[str], second: list[str], resumed: list[str]
) -> None:
    shown = Shown("".join(first[:2]))
    taken(shown, first[2:])
    had = "".join(first)
    assert shown.text == had
    shown.begin()
    said, anew = taken(shown, second)
    again = "".join(second)
    assert anew == (not again.startswith(had))
    assert said == (again if anew else again[len(had) :])
    assert shown.text == again
    assert taken(shown, resumed) == ("".join(resumed), False)
