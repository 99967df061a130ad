"""Telling: a subscription to one generation, folded into the frames of a dialect."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import Response

from services.consume_stream import joining
from services.consume_stream.access import Access
from services.consume_stream.admission import Admission
from services.consume_stream.dialects.generations import Located, locate
from services.consume_stream.joining import Join
from services.consume_stream.sse import Form, Pings, ViewerResponse
from services.consume_stream.subscription import Broken, Reset, Subscription
from shared.events import Entry
from shared.http import ApiError, no_session
from shared.position import NONE, Position

_GENERATION_MAX = 2**31


class Fold(Protocol):
    """One viewer's way from the entries of a generation to a dialect's frames: pure, the same for the same entries.

    How the entries come in batches must not show in what the client makes of the frames.
    """

    over: bool
    """Whether the generation's end was told."""
    void: bool
    """Whether what was told counts no more, and the dialect has no word for that: the viewer is cut, to come back."""

    def take(self, entries: list[Entry]) -> bytes:
        """The frames of some more entries, maybe none."""
        ...


class _Frames(NamedTuple):
    frames: bytes


class Telling:
    """What one viewer is told: the fold's frames of one generation, from after a position on.

    `start` is where the fold begins, for what follows depends on it. Ends with the generation's end; raises Broken
    before that, also where the log was written anew.
    """

    def __init__(
        self, subscription: Subscription, generation: int, fold: Fold, start: Position, after: Position
    ) -> None:
        self._subscription = subscription
        self._generation = generation
        self._fold = fold
        self._start = start
        self._after = after

    async def batches(self) -> AsyncGenerator[_Frames, None]:
        """The frames, as they come."""
        async with contextlib.aclosing(self._subscription.batches()) as batches:
            async for batch in batches:
                if isinstance(batch, Reset):
                    raise Broken
                told = batch.of_generation(self._generation)
                if told and (frames := self._new(told.entries)):
                    yield _Frames(frames)
                if self._fold.void:
                    raise Broken
                if self._fold.over:
                    if told and told.last.id < self._after:
                        raise Broken  # its client has words from behind the end: they are of no answer that there is
                    return
        raise Broken

    def _new(self, entries: list[Entry]) -> bytes:
        known = [entry for entry in entries if self._start < entry.id <= self._after]
        new = [entry for entry in entries if entry.id > self._start and entry.id > self._after]
        if known:
            self._fold.take(known)
        return self._fold.take(new) if new else b""


class Teller:
    """Answers requests for one generation in a dialect."""

    def __init__(self, admission: Admission, pings: Pings) -> None:
        self._admission = admission
        self._pings = pings

    async def find(self, request: Request, session: str, generation: int | None) -> tuple[Access, Located]:
        """A generation of a session, the newest where none is named. Raises ApiError with 401, 404 or 503."""
        access = await self._admission.access(request, session)
        if access.generation not in (None, generation) and generation is not None:
            raise no_session()
        located = await locate(self._admission.reading.ways.bulk, session, generation, access)
        if located is None:
            raise no_session()
        return access, located

    async def tell(
        self,
        request: Request,
        session: str,
        found: tuple[Access, Located],
        fold: Fold,
        form: Form,
        *,
        after: Position = NONE,
        whole: bool = False,
    ) -> Response:
        """Stream a generation, from after a position on; `whole` tells earlier attempts too.

        204 where the position is its end. Raises ApiError with 409 for a position in an attempt that was voided.
        """
        access, located = found
        start = located.before if whole else located.before_last_attempt
        # Also one that Redis has lost before the answer was begun anew, and one from behind the end that it has now.
        void = after <= start or after < located.began_at or (located.over and after > located.last.id)
        if after > NONE and void:
            raise ApiError(409, "resume_point_void", "The answer was begun anew: read it from its beginning.")
        if located.over and after == located.last.id:
            return Response(status_code=204)
        # A link that shows one generation knows of no entry before it.
        join = Join(session, NONE if access.generation else start, "answer", "comment")
        with contextlib.ExitStack() as place:
            admitted = await self._admission.admit(request, join, access, place)
            if admitted is None:
                return Response(status_code=204)
            telling = Telling(admitted.subscription, located.number, fold, start, after)
            return ViewerResponse(telling, place.pop_all(), self._pings, form, admitted.over)


def generation_of(request: Request) -> int | None:
    """The generation that a query names; None where it names none. Raises ApiError with 400."""
    return joining.whole_number(request, "generation", 1, _GENERATION_MAX)


def form_of(headers: Mapping[str, str], ping: bytes, media_type: str = "text/event-stream") -> Form:
    """A dialect's form: it says nothing of coming back, and who may not read any more is cut without a word."""
    return Form(media_type, headers, ping, retries=False, last_word=_nothing)


def _nothing(code: str) -> bytes:
    del code
    return b""
