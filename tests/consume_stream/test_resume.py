"""The resume rule, case by case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.consume_stream.resume import judge
from shared.position import NONE, Position
from tests.shared.strategies import bounded

FIRST, MIDDLE, LAST = Position(5, 0), Position(5, 3), Position(7, 1)
POSITIONS = st.builds(Position, st.integers(0, 9), st.integers(0, 9))


@pytest.mark.parametrize(
    ("position", "last", "found", "verdict"),
    [
        pytest.param(NONE, LAST, False, "go", id="from the beginning"),
        pytest.param(FIRST, LAST, True, "go", id="from the first entry"),
        pytest.param(MIDDLE, LAST, True, "go", id="from an entry"),
        pytest.param(LAST, LAST, True, "go", id="from the last entry"),
        pytest.param(MIDDLE, LAST, False, "reset", id="from an id that the log has not"),
        pytest.param(Position(1, 0), LAST, False, "reset", id="from before the log"),
        pytest.param(Position(7, 2), LAST, False, "wait", id="from past the end, in the same attempt"),
        pytest.param(Position(9, 0), LAST, False, "wait", id="from past the end, in a later attempt"),
        pytest.param(NONE, None, False, "wait", id="without a log, from the beginning"),
        pytest.param(MIDDLE, None, False, "wait", id="without a log, from an entry"),
    ],
)
def test_where_a_viewer_may_go_on(position: Position, last: Position | None, found: bool, verdict: str) -> None:
    assert judge(position, last, found=found) == verdict


@bounded
@given(st.sets(POSITIONS.filter(lambda position: position != NONE)), POSITIONS)
def test_a_viewer_goes_on_only_from_what_it_can_have_seen(log: set[Position], position: Position) -> None:
    last = max(log, default=None)
    verdict = judge(position, last, found=position in log)
    if verdict == "go":
        assert position in {NONE, *log}
    elif verdict == "wait":
        assert all(position > entry for entry in log)
    else:
        assert position not in log
        assert any(position < entry for entry in log)
