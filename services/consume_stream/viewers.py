"""The viewers of this process: how many there may be, and the ways to cut them: all, and those that take nothing."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator

from starlette.types import Scope

from services.consume_stream import metrics
from shared import server
from shared.http import ApiError

_LOOKS_PER_TIMEOUT = 4


class Viewers:
    """Counts viewers in and out."""

    def __init__(self, most: int, most_per_session: int) -> None:
        self.draining = False
        self._most = most
        self._most_per_session = most_per_session
        self._scopes: dict[int, Scope] = {}
        self._per_session: Counter[str] = Counter()
        metrics.VIEWERS_MAX.set(most)

    @contextlib.contextmanager
    def admit(self, session: str, scope: Scope) -> Iterator[None]:
        """Hold a place for one viewer. Raises ApiError with 429 or 503 when there is none."""
        self._check(session)
        self._scopes[id(scope)] = scope
        self._per_session[session] += 1
        metrics.VIEWERS.set(len(self._scopes))
        try:
            yield
        finally:
            del self._scopes[id(scope)]
            self._per_session[session] -= 1
            if not self._per_session[session]:
                del self._per_session[session]
            metrics.VIEWERS.set(len(self._scopes))

    def drain(self) -> None:
        """Take no more, and cut those there are: each comes back by itself, elsewhere."""
        self.draining = True
        for scope in list(self._scopes.values()):
            server.cut(scope)

    async def drop_the_dead(self, timeout_s: float) -> None:
        """Cut each viewer that has taken nothing for so long although there is something for it. Runs for ever.

        Looking at them now and then costs nothing per frame, and a slow viewer is no dead one: it takes a little.
        """
        stuck: dict[int, tuple[int, int]] = {}
        while True:
            await asyncio.sleep(timeout_s / _LOOKS_PER_TIMEOUT)
            before, stuck = stuck, {}
            for viewer, scope in list(self._scopes.items()):
                if size := server.untaken_bytes(scope):
                    last_size, looks = before.get(viewer, (size, 0))
                    looks = looks + 1 if size >= last_size else 1
                    stuck[viewer] = size, looks
                    if looks == _LOOKS_PER_TIMEOUT + 1:
                        metrics.DROPPED.inc()
                        server.cut(scope)

    def _check(self, session: str) -> None:
        if self.draining:
            raise _refused(503, "draining", "This process takes no new viewers. Try again.")
        if len(self._scopes) >= self._most:
            raise _refused(503, "too_many_viewers", "This process has as many viewers as it may have.")
        # Of all processes together `seats` counts them; who is too many here alone need not ask.
        if 0 < self._most_per_session <= self._per_session[session]:
            raise _refused(429, "too_many_viewers_of_session", "This session has as many viewers as it may have.")


def _refused(status: int, code: str, message: str) -> ApiError:
    metrics.REFUSED.labels(code).inc()
    return ApiError(status, code, message, retry=True)
