"""The clock of Redis is known as well as its quickest answer tells."""

import pytest

from shared.server_clock import ServerClock


def test_before_any_answer_both_clocks_are_taken_for_the_same() -> None:
    assert ServerClock().ahead_s == 0


@pytest.mark.parametrize("ahead_s", [-3600.0, -0.2, 0.0, 0.2, 3600.0])
def test_an_answer_tells_how_far_it_is_ahead(ahead_s: float) -> None:
    clock = ServerClock()
    clock.told(1000.5 + ahead_s, 1000.0, 1001.0)
    assert clock.ahead_s == pytest.approx(ahead_s)


def test_a_slow_answer_does_not_spoil_what_a_quick_one_told() -> None:
    clock = ServerClock()
    clock.told(1007.001, 1000.0, 1000.002)
    # It said the time at once, and was read two seconds later.
    clock.told(1008.0, 1001.0, 1003.0)
    assert clock.ahead_s == pytest.approx(7.0)


def test_a_clock_that_was_set_is_believed_after_some_answers() -> None:
    clock = ServerClock()
    for second in range(20):
        clock.told(second + 0.001 + (50 if second > 10 else 0), second, second + 0.002 + second / 1e4)
    assert clock.ahead_s == pytest.approx(50, abs=0.01)


def test_another_server_is_believed_at_once() -> None:
    clock = ServerClock()
    clock.told(1000.0, 1000.0, 1000.0)
    clock.forget()
    clock.told(1101.0, 1000.0, 1002.0)
    assert clock.ahead_s == pytest.approx(100)
