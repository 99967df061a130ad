"""Admission: the way in, one for every kind of viewer: a right, a place of this process, a seat of all, a log."""

import contextlib
from typing import NamedTuple

from starlette.requests import HTTPConnection

from services.consume_stream import joining
from services.consume_stream.access import Access, Door, RightOver
from services.consume_stream.joining import Join
from services.consume_stream.seats import Seat, Seats
from services.consume_stream.subscription import Reading, Subscription
from services.consume_stream.viewers import Viewers


class Admitted(NamedTuple):
    """A viewer who is in: what it reads by, and until when it may."""

    subscription: Subscription
    over: RightOver


class Admission:
    """Lets viewers in. What they hold is given back by the `place` that they came with."""

    def __init__(self, door: Door, viewers: Viewers, seats: Seats, reading: Reading) -> None:
        self.reading = reading
        self._door = door
        self._viewers = viewers
        self._seats = seats

    async def access(self, request: HTTPConnection, session: str) -> Access:
        """By what right this request reads the session. Raises ApiError with 401, 403, 404 or 503."""
        access = await self._door.access(request, session)
        await joining.look_at_link(self.reading.ways.bulk, session, access)
        return access

    async def admit(
        self, request: HTTPConnection, join: Join, access: Access, place: contextlib.ExitStack
    ) -> Admitted | None:
        """Let a viewer in; None where there is nothing more for it. Raises ApiError with 404, 429 or 503."""
        seat = self._place(request, join, access, place)
        if not await joining.has_more(self.reading.ways.bulk, join, access, self.reading.patience_s):
            return None
        return await self._seated(seat, join, access)

    async def admit_poll(
        self, request: HTTPConnection, join: Join, access: Access, place: contextlib.ExitStack
    ) -> Admitted:
        """Let in who does not stay: whether there is more, its subscription tells. Raises ApiError with 429 or 503."""
        return await self._seated(self._place(request, join, access, place), join, access)

    def _place(self, request: HTTPConnection, join: Join, access: Access, place: contextlib.ExitStack) -> Seat:
        joining.link(self.reading.ways.bulk, join.session)
        audience = access.audience(join.session)
        place.enter_context(self._viewers.admit(audience, request.scope))
        # Asked for first, and waited for last: it leaves in one write with the look at the log.
        return place.enter_context(self._seats.seat(audience, access.owner))

    async def _seated(self, seat: Seat, join: Join, access: Access) -> Admitted:
        await seat.taken()
        subscription = Subscription(self.reading, join.session, join.position, join.follow, access)
        return Admitted(subscription, access.over)
