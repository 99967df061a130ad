"""What the figures must be, and whether they are. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.bench.figures import AS_WRITTEN, FLOOR, Figure

SDK = "SDK alone"
UNDISTURBED = "without replays"
SMALLEST = "1 × the sessions"
MODEL = "the model"
LOAD = "the model of the load alone"


class Bound(NamedTuple):
    """Limits for one figure: of its value, or of its ratio to another's."""

    work: str
    figure: str
    at_most: float
    to: str | None = None
    at_least: float = 0.0


class Judgement(NamedTuple):
    """A bound, and what was found."""

    bound: Bound
    found: float

    @property
    def met(self) -> bool:
        """Whether the figure is within its bound."""
        return self.bound.at_least <= self.found <= self.bound.at_most


BOUNDS = (
    Bound("W1", "CPU per chunk", 1.0, AS_WRITTEN),
    Bound("W1", "CPU per chunk", 2.8, FLOOR),
    Bound("W1", "p50", 0.7, AS_WRITTEN),
    Bound("W1", "p99", 0.7, AS_WRITTEN),
    Bound("W1", "Redis connections", 6),
    Bound("W2", "CPU per chunk", 0.35, AS_WRITTEN),
    Bound("W2", "CPU per chunk", 1.3, FLOOR),
    Bound("W2", "p50", 0.4, AS_WRITTEN),
    Bound("W2", "p99", 0.4, AS_WRITTEN),
    Bound("W2", "Redis' CPU per chunk", 0.35, AS_WRITTEN),
    Bound("W2", "Redis connections", 6),
    Bound("W3", "to the last byte", 0.1, AS_WRITTEN),
    Bound("W3", "bytes per viewer", 0.4, AS_WRITTEN),
    Bound("W3 beside W1", "p99", 2.0, UNDISTURBED),
    Bound("W4", "memory per viewer", 40),
    Bound("W4", "CPU", 0.1),
    Bound("W4", "Redis' CPU", 0.05),
    Bound("W4", "Redis connections", 6),
    Bound("W5", "p50", 5),
    Bound("W5", "p99", 20),
    Bound("W6", "CPU per chunk", 1.4, SDK),
    # A viewer's chunk waits for two round trips: the nudge's way and the read's. 50 ms are for the append in flight.
    Bound("W6, Redis 50 ms away", "p50", 150),
    Bound("W6, Redis 50 ms away", "p99", 150),
    Bound("W6, Redis 50 ms away", "provider slowed down", 1.02),
    Bound("W7", "connects refused", 0),
    Bound("W7", "p99 to the first frame", 0.5, AS_WRITTEN),
    Bound("scale", "CPU per chunk, 2 × the sessions", 1.1, SMALLEST),
    Bound("scale", "CPU per chunk, 4 × the sessions", 1.1, SMALLEST),
    *(
        Bound("cost", f"{figure} per chunk, {shape}", at_most, to, at_least)
        for shape in ("many sessions", "many viewers")
        for figure in ("Redis commands", "bytes into Redis", "bytes out of Redis", "bytes to viewers")
        # Chunks that gather cost less than by the load: that is an upper bound.
        for to, at_least, at_most in ((MODEL, 0.95, 1.05), (LOAD, 0.0, 1.1))
    ),
    Bound("cost", "Redis commands that the model has otherwise, many sessions", 0.05),
    Bound("cost", "Redis commands that the model has otherwise, many viewers", 0.05),
    Bound("cost", "Redis commands per visit", 1.05, MODEL, 0.95),
)


def judged(figures: Iterable[Figure], bounds: Iterable[Bound] = BOUNDS) -> Iterator[Judgement]:
    """Each bound whose figure was measured, in the order of the figures."""
    of: dict[tuple[str, str], list[Bound]] = {}
    for bound in bounds:
        of.setdefault((bound.work, bound.figure), []).append(bound)
    for figure in figures:
        for bound in of.get((figure.work, figure.name), []):
            found = figure.ratio(bound.to) if bound.to else figure.value()
            if found is not None:
                yield Judgement(bound, found)
