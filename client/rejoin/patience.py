"""How long is waited, and how often it is tried again. Pure, but for the clock and the dice that it is given."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from rejoin.errors import OutOfReach, Refused

_FIRST_WAIT_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times, in seconds."""

    connect_s: float = 10.0
    """Until a connection stands."""
    reply_s: float = 30.0
    """Until there is a reply to anything but a stream."""
    silence_s: float = 45.0
    """Without a sign of life, after which a stream is taken for dead. The server gives one every 15 s by default."""
    retry_max_s: float = 15.0
    """The longest wait between two tries, unless the server asks for more by `Retry-After`."""
    call_s: float = 30.0
    """For how long a call is tried again. It is safe to: a retried start is one generation."""
    give_up_s: float = 300.0
    """For how long a stream is tried again without a new entry, or a connection that holds."""


class Retry(NamedTuple):
    """Something broke, and is tried again after a wait."""

    error: Exception
    wait_s: float


class Patience:
    """How long to wait before each new try: ever longer and never for as long as others, until it is given up."""

    def __init__(
        self,
        give_up_s: float,
        retry_max_s: float,
        told: Callable[[Retry], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._give_up_s = give_up_s
        self._retry_max_s = retry_max_s
        self._told = told
        self._clock = clock
        self._since = clock()
        self._failures = 0

    def progress(self) -> None:
        """Things go on: the next break is a first one."""
        self._since = self._clock()
        self._failures = 0

    def wait_s(self, error: Exception, hint_s: float | None = None) -> float:
        """How long to wait after a break. `hint_s` is what the server has asked for when it lets go.

        Raises the error itself if the server said no, else OutOfReach, when that would be for too long.
        """
        self._failures += 1
        longest = min(self._retry_max_s, _FIRST_WAIT_S * 2 ** min(self._failures, 16))
        wait_s = random.uniform(min(_FIRST_WAIT_S / 2, longest), longest)
        if hint_s is not None and self._failures == 1:
            wait_s = min(hint_s, self._retry_max_s)
        if isinstance(error, Refused):
            wait_s = max(wait_s, error.retry_after_s)
        tried_s = self._clock() - self._since
        if tried_s + wait_s > self._give_up_s:
            if isinstance(error, Refused):
                raise error
            raise OutOfReach(f"nothing came for {tried_s:.0f} s: {describe(error)}") from error
        if self._told:
            self._told(Retry(error, wait_s))
        return wait_s


def describe(error: Exception) -> str:
    """An error in words; some have none but their name."""
    return str(error) or type(error).__name__
