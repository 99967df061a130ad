"""One stream over many connections: what to ask for, what a frame means, when it is over. No I/O."""

import json
import re
from collections.abc import Callable
from typing import Literal

from rejoin import errors, events
from rejoin.errors import AnswerGone, Refused, TooMany, Unauthorized
from rejoin.events import AnyEvent, End, Event, Reset
from rejoin.patience import Patience

PATH = "/api/consume-stream"
FRAME_MAX_BYTES = 16 * 1024 * 1024

Follow = Literal["answer", "session"]
"""Until the answer has its end, or for the next questions too."""
Token = str | Callable[[], str] | None
"""A bearer's token, or who gives one: it is asked before each connection, so that one that ends is renewed in place."""

_ID = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
_BEFORE_ALL = (-1, -1)
_ENDS_WITHOUT_MAX = 6
"""Ten seconds or so, by the waits between them: a lease, and what finds that one is over."""


class Broken(Exception):
    """What came is no stream, or is not whole: to be asked for again."""


class Resumption:
    """The state of one stream. `position` is that of the last event given: a resume point for any process."""

    def __init__(
        self, session: str, after: str | None, follow: Follow, generation: int | None, patience: Patience
    ) -> None:
        self.position = after
        self.over = False
        self._query = {"sessionId": session, "follow": follow, "ping": "event"}
        self._follow = follow
        self._generation = generation
        self._patience = patience
        self._passed = _numbers(after) if after else _BEFORE_ALL
        self._ended = False
        self._from_start = after is None
        self._ends_without = 0
        self._connected = False
        self._pings = 0
        self._broken_after: str | None = None
        self._error: Exception = Broken("not tried yet")
        self._hint_s: float | None = None

    def query(self, share: str | None) -> dict[str, str]:
        """What the next connection asks for."""
        self._pings = 0
        last = {"lastEventId": self.position} if self.position else {}
        return self._query | last | ({"share": share} if share else {})

    def is_stream(self, status: int, content_type: str) -> bool:
        """Whether a response is one. Raises Broken for another page in its place, AnswerGone."""
        if status == 204:
            self._end()
        elif status == 200:
            if content_type.partition(";")[0].strip().lower() != "text/event-stream":
                raise Broken(f"not a stream, but {content_type or 'nothing named'}")
            self._connected = True
            return True
        return False

    def refused(self, refused: Refused, *, renewed: bool) -> None:
        """The server said no. Raises it, unless time may mend it; `renewed`: there is another token by now."""
        # Who was in before comes back too soon: the place that it had is still taken.
        passes = refused.passes or (isinstance(refused, TooMany) and self._connected)
        if not passes and not (isinstance(refused, Unauthorized) and renewed):
            raise refused
        self._error, self._hint_s = refused, None

    def lost(self, error: Exception) -> None:
        """The connection broke, or there was none."""
        self._error = error

    def body_ended(self) -> None:
        """The response ended cleanly. Raises Broken in the middle of an answer, where a server never ends it so."""
        if not (self._ended and self._follow == "answer"):
            raise Broken("the response ended too early")
        self._end()

    def wait_s(self) -> float:
        """How long to wait before the next connection. Raises OutOfReach, Refused."""
        return self._patience.wait_s(self._error, self._hint_s)

    def take(self, kind: str, id: str, text: str, retry_ms: int | None, *, renewable: bool) -> AnyEvent | None:
        """One frame; None for one that says nothing new.

        Raises Unauthorized when the right to read is over and no other token can be had, Broken for a garbled frame.
        """
        if retry_ms is not None:
            self._hint_s = retry_ms / 1000
        if kind != "message":
            self._ping()
            return None
        data = self._parsed(id, text)
        if data.get("type") == "unauthorized":
            code = str(data.get("code"))
            if not (renewable and code.startswith("token")):
                raise errors.over(code)
            return None
        # Looked at before its id: a frame without one comes with the last.
        if data.get("type") == "reset":
            self.position, self._passed, self._ended, self._from_start = None, _BEFORE_ALL, False, True
            return Reset(reason=str(data.get("reason", "")), data=data)
        return self._entry(id, data)

    def _entry(self, id: str, data: dict[str, object]) -> AnyEvent | None:
        if not _ID.fullmatch(id) or (at := _numbers(id)) <= self._passed:
            return None
        self._patience.progress()
        self.position, self._passed = id, at
        event = events.parse(id, data)
        if event is None:
            return None
        self._ended = isinstance(event, End)
        if self._generation is not None:
            if event.generation != self._generation:
                return None
            self.over = self._ended
        return _any(event)

    def _ping(self) -> None:
        self._pings += 1
        # The first comes with the connection, even from a server that is about to fall over again.
        if self._pings > 1:
            self._patience.progress()

    def _parsed(self, id: str, text: str) -> dict[str, object]:
        try:
            if id:
                _numbers(id)
            data = json.loads(text)
            if isinstance(data, dict):
                return data
        except (ValueError, RecursionError):
            pass
        # What was garbled on its way comes whole the next time; what is written so is passed over then.
        if self._broken_after == (here := self.position or ""):
            return {}
        self._broken_after = here
        raise Broken("a frame came garbled")

    def _end(self) -> None:
        # Who read from the beginning would have met its end; who came back with a position may have it already.
        if self._generation is None or not self._from_start:
            self.over = True
            return
        # Its writer may be about to write again what Redis has lost.
        self._ends_without += 1
        if self._ends_without > _ENDS_WITHOUT_MAX:
            raise AnswerGone(f"answer {self._generation} is not in the log any more")
        raise Broken(f"answer {self._generation} is not in the log yet")


def _numbers(id: str) -> tuple[int, int]:
    found = _ID.fullmatch(id)
    if not found:
        raise ValueError(f"not a position: {id!r}")
    return int(found[1]), int(found[2])


def _any(event: Event) -> AnyEvent:
    assert isinstance(event, AnyEvent)
    return event
