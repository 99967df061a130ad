"""The viewers of this process: how many there may be, and the way to cut them all."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from starlette.types import Scope

from services.consume_stream import metrics
from shared import server
from shared.http import ApiError


class Viewers:
    """Counts viewers in and out."""

    def __init__(self, most: int, most_per_session: int) -> None:
        self.draining = False
        self._most = most
        self._most_per_session = most_per_session
        self._scopes: dict[int, Scope] = {}
        self._per_session: Counter[str] = Counter()

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

    def _check(self, session: str) -> None:
        if self.draining:
            raise _refused(503, "draining", "This process takes no new viewers. Try again.")
        if len(self._scopes) >= self._most:
            raise _refused(503, "too_many_viewers", "This process has as many viewers as it may have.")
        if self._per_session[session] >= self._most_per_session:
            raise _refused(429, "too_many_viewers_of_session", "This session has as many viewers as it may have.")


def _refused(status: int, code: str, message: str) -> ApiError:
    metrics.REFUSED.labels(code).inc()
    return ApiError(status, code, message, retry=True)
