"""The clock of Redis, as far as it can be known from here. Pure."""

from collections import deque
from collections.abc import Sequence

_SAMPLES = 8


def unix_ms(told: Sequence[bytes]) -> float:
    """A reply to TIME as milliseconds since 1970."""
    seconds, micros = told
    return int(seconds) * 1000 + int(micros) / 1000


class ServerClock:
    """How far the clock of Redis is ahead of this machine's.

    An answer was given somewhere between the question and its arrival. Half of that time is what may be wrong, so of
    the last few answers the quickest one counts.
    """

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)

    def told(self, time_s: float, asked_at: float, heard_at: float) -> None:
        """Take what the clock of Redis was between two moments of ours, all three in seconds since 1970."""
        self._samples.append((heard_at - asked_at, time_s - (asked_at + heard_at) / 2))
        self.ahead_s = min(self._samples)[1]

    def forget(self) -> None:
        """The next answer may be of another server."""
        self._samples.clear()
