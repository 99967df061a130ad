"""Figures: what a work found, and quantiles of samples. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

OURS = "rejoin"
AS_WRITTEN = "as written"
FLOOR = "floor"


class Figure(NamedTuple):
    """One thing that a work has measured, of each who took part, a sample per window, in the order of the windows."""

    work: str
    name: str
    unit: str
    samples: Mapping[str, Sequence[float]]

    def value(self, of: str = OURS) -> float | None:
        """The median of the windows; None for who did not take part."""
        taken = self.samples.get(of)
        return statistics.median(taken) if taken else None

    def ratio(self, to: str) -> float | None:
        """Ours to another's: the median of the ratios of windows that stood side by side."""
        sides = zip(self.samples.get(OURS, ()), self.samples.get(to, ()), strict=False)
        ratios = [ours / other for ours, other in sides if other]
        return statistics.median(ratios) if ratios else None


def quantiles(samples: Sequence[float]) -> dict[str, float]:
    """The median, the 99th percentile and the largest; zeros where there is nothing."""
    if not samples:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    ordered = sorted(samples)
    last = len(ordered) - 1
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[min(last, len(ordered) * 99 // 100)], "max": ordered[-1]}
