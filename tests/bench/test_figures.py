"""Figures: medians, quantiles, and ratios of windows that stood side by side."""

import pytest

from tests.bench.figures import AS_WRITTEN, FLOOR, OURS, Figure, quantiles


def test_quantiles_of_a_hundred_numbers_are_found_by_rank() -> None:
    assert quantiles([float(number) for number in range(100, 0, -1)]) == {"p50": 51, "p99": 100, "max": 100}


def test_quantiles_of_one_and_of_nothing() -> None:
    assert quantiles([7]) == {"p50": 7, "p99": 7, "max": 7}
    assert quantiles([]) == {"p50": 0, "p99": 0, "max": 0}


def test_a_value_is_the_median_of_its_windows() -> None:
    figure = Figure("W1", "p50", "ms", {OURS: [1, 100, 2]})
    assert figure.value() == 2
    assert figure.value(FLOOR) is None


def test_a_ratio_compares_windows_that_stood_side_by_side() -> None:
    # The machine slowed down in the middle: it met both.
    figure = Figure("W1", "p50", "ms", {OURS: [1, 10, 2], AS_WRITTEN: [2, 20, 4]})
    assert figure.ratio(AS_WRITTEN) == pytest.approx(0.5)


def test_there_is_no_ratio_to_nobody_nor_to_nothing() -> None:
    figure = Figure("W1", "p50", "ms", {OURS: [1.0], AS_WRITTEN: [0.0]})
    assert figure.ratio(AS_WRITTEN) is None
    assert figure.ratio(FLOOR) is None
