"""Calls of tools: whatever pieces a server sends, each call comes out once, whole, named, with an id of its own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.generate_stream.providers import ChatRequest, Message, ToolCall
from services.generate_stream.providers.calls import Calls
from tests.shared.strategies import bounded

pytestmark = pytest.mark.any_redis
Piece = tuple[Any, Any, Any, Any]


def gathered(*pieces: Piece, earlier: tuple[str, ...] = ()) -> list[ToolCall]:
    """The calls that come of these pieces: index, id, name and arguments."""
    asked = Message("assistant", "", tuple(ToolCall(call_id, "f", "{}") for call_id in earlier))
    calls = Calls(ChatRequest("m", [asked]))
    parts = [part for piece in pieces for part in calls.add(*piece)]
    return [part for part in [*parts, *calls.all()] if isinstance(part, ToolCall)]


A, B = ToolCall("a", "f", '{"x": "}\\""}'), ToolCall("b", "g", "{}")


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        pytest.param([(0, "a", "f", ""), (0, None, None, '{"x": "}\\'), (0, None, None, '""}')], [A], id="in pieces"),
        pytest.param([(0, *A), (1, *B)], [A, B], id="whole"),
        pytest.param([(0, *A), (0, *B)], [A, B], id="whole, with one index for all"),
        pytest.param([(None, *A), (None, *B)], [A, B], id="whole, without an index"),
        pytest.param([(0, "a", "f", None), (1, "b", "g", None), (0, None, None, A[2]), (1, None, None, "{}")], [A, B],
                     id="by turns"),
        pytest.param([(0, "a", "f", '{"x": '), (0, "a", "f", '"}\\""}')], [A], id="all told in each piece"),
        pytest.param([(0, "a", "get_", None), (0, None, "x", "{}")], [ToolCall("a", "get_x", "{}")],
                     id="a name in two pieces"),
        pytest.param([(0, "a", "f", "not JSON")], [ToolCall("a", "f", "not JSON")], id="no JSON"),
        pytest.param([(0, "a", "f", None)], [ToolCall("a", "f", "{}")], id="no arguments"),
        pytest.param([(0, "a", "f x!", "{}")], [ToolCall("a", "f_x_", "{}")], id="a name that vendors refuse"),
        pytest.param([(0, "a", None, "{}")], [], id="no name"),
        pytest.param([(0, "a", "f" * 99, "{}")], [ToolCall("a", "f" * 64, "{}")], id="a long name"),
    ],
)  # fmt: skip
def test_the_pieces_of_a_call_find_each_other(pieces: list[Piece], wanted: list[ToolCall]) -> None:
    assert gathered(*pieces) == wanted


@pytest.mark.parametrize("call_id", [None, "", "\0", "\ud800", "x" * 201, 7, "taken", "earlier"])
def test_a_call_without_an_id_of_its_own_is_given_one(call_id: Any) -> None:
    first, second = gathered((0, "taken", "f", "{}"), (1, call_id, "f", "{}"), earlier=("earlier",))
    assert first.call_id == "taken"
    assert second.call_id.startswith("call_")


def test_a_whole_call_does_not_wait_for_the_end() -> None:
    calls = Calls(ChatRequest("m", []))
    assert list(calls.add(0, *A))[1:] == []
    assert A in list(calls.add(1, "b", "g", '{"half'))
    assert list(calls.whole()) == []
    assert list(calls.all()) == [ToolCall("b", "g", '{"half')]


def test_there_is_a_limit_to_how_many() -> None:
    assert len(gathered(*[(number, f"id{number}", "f", "{") for number in range(500)])) == 128


@bounded
@given(st.lists(st.sampled_from(['"', "\\", "{", "}", "[", "]", "a", ":", " "]), max_size=30), st.data())
def test_arguments_arrive_as_they_were_written_wherever_they_are_cut(marks: list[str], data: st.DataObject) -> None:
    text = "".join(marks)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert gathered((0, "a", "f", None), *[(0, None, None, piece) for piece in pieces]) == [
        ToolCall("a", "f", text or "{}")
    ]
