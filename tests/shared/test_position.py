"""Positions: read and written alike, compared as two numbers, and nothing else taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.position import NONE, Position, parse
from tests.shared.strategies import TEXTS, bounded

SIXTY_FOUR_BITS = st.integers(0, 2**64 - 1)
POSITIONS = st.builds(Position, SIXTY_FOUR_BITS, SIXTY_FOUR_BITS)

MALFORMED = [
    "", " ", "-", "0-", "-0", "1", "00", "1-", "-1", "1-1-1", "1--1", "+1-1", "1-+1", "-1-1", "1-1 ", " 1-1", "1-1\n",
    "1.0-1", "1e3-1", "0x1-1", "1_0-1", "a-b", "*", "$", ">", "+", "(1-1", "1-*", "１-１", "١-١", "1\0-1", "null",
    "18446744073709551616-0", "0-18446744073709551616", "1" * 21 + "-0", "0-" + "9" * 10_000,
]  # fmt: skip


@bounded
@given(POSITIONS)
def test_what_is_written_is_read_again(position: Position) -> None:
    assert parse(str(position)) == position


@bounded
@given(POSITIONS, POSITIONS)
def test_the_order_is_that_of_redis(one: Position, other: Position) -> None:
    # Redis compares the ids as one number of 128 bits.
    wide = [position.ms << 64 | position.seq for position in (one, other)]
    assert (one < other, one == other) == (wide[0] < wide[1], wide[0] == wide[1])


def test_numbers_are_compared_as_numbers() -> None:
    assert parse("9-9") < parse("9-10") < parse("10-0")


def test_zero_is_before_every_entry() -> None:
    assert parse("0") == NONE == parse("0-0") < parse("0-1")


def test_the_largest_id_of_redis_is_one() -> None:
    assert parse("18446744073709551615-18446744073709551615") == Position(2**64 - 1, 2**64 - 1)


@pytest.mark.parametrize("text", MALFORMED, ids=[repr(text)[:24] for text in MALFORMED])
def test_nothing_else_is_a_position(text: str) -> None:
    with pytest.raises(ValueError, match="a resume point"):
        parse(text)


@bounded
@given(st.one_of(TEXTS, st.text("0123456789-", max_size=50)))
def test_whatever_comes_is_a_position_or_refused(text: str) -> None:
    try:
        position = parse(text)
    except ValueError:
        return
    ms, _, seq = text.partition("-")
    assert (position.ms, position.seq) == (int(ms), int(seq or "0"))
