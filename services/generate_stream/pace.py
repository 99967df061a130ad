"""The pace of one provider's answer: how long its first word takes, and each further piece."""

from services.generate_stream import metrics


class Pace:
    """Follows one answer. All moments are of the monotonic clock, in seconds."""

    def __init__(self, provider: str, asked_at: float) -> None:
        self._first = metrics.TIME_TO_FIRST_TOKEN.labels(provider)
        self._gaps = metrics.TOKEN_GAP.series(provider)
        self._last_at = asked_at
        self._has_begun = False

    def piece(self, now: float) -> None:
        """A word or a thought has come."""
        if self._has_begun:
            self._gaps.observe(now - self._last_at)
        else:
            self._has_begun = True
            self._first.observe(now - self._last_at)
        self._last_at = now

    def rested(self, now: float) -> None:
        """The provider was not read until now: that is no gap of its own."""
        self._last_at = now
