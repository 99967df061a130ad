"""Text at the edge: what comes out is what UTF-8 can carry, and nothing is lost that could be kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import whole
from tests.shared.strategies import bounded

ANY_TEXT = st.text(st.one_of(st.sampled_from("\ud83c\udf0a\ud83d\ude80a"), st.characters()))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("plain é 🌊", "plain é 🌊"),
        ("\ud83c\udf0a", "🌊"),
        ("\ud83c", "\ufffd"),
        ("a\udf0a", "a\ufffd"),
        ("\udf0a\ud83c", "\ufffd\ufffd"),
        ("\ud83c\ud83c\udf0a\udf0a", "\ufffd🌊\ufffd"),
        ("\ud83ca", "\ufffda"),
        ("🌊\ud83c🌊", "🌊\ufffd🌊"),
    ],
)
def test_halves_are_joined_and_lone_ones_replaced(text: str, wanted: str) -> None:
    assert whole(text) == wanted


@bounded
@given(ANY_TEXT)
def test_the_outcome_is_unicode_and_stays_as_it_is(text: str) -> None:
    once = whole(text)
    assert once.encode().decode() == once
    assert whole(once) == once


@bounded
@given(st.text())
def test_what_is_whole_already_is_left_alone(text: str) -> None:
    assert whole(text) is text
