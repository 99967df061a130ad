"""consume-stream over HTTP: routes, and what lives as long as the process."""

import asyncio
import contextlib
import operator
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from services.consume_stream import frames, joining, rights, sessions, standing
from services.consume_stream.access import Door
from services.consume_stream.admission import Admission
from services.consume_stream.beacons import Beacons
from services.consume_stream.dialects import plain
from services.consume_stream.dialects.chat import Chats
from services.consume_stream.dialects.completions import Completions
from services.consume_stream.dialects.plain import Plain
from services.consume_stream.dialects.reads import SentOn
from services.consume_stream.dialects.responses import ResponseRoutes
from services.consume_stream.dialects.telling import Teller, generation_of
from services.consume_stream.group_reads import Ways
from services.consume_stream.groups import Groups
from services.consume_stream.joining import Join
from services.consume_stream.nudges import Nudges
from services.consume_stream.openapi import SERVICE, described
from services.consume_stream.polling import Poll
from services.consume_stream.rota import Rota
from services.consume_stream.seats import Limits, Seats
from services.consume_stream.settings import Settings
from services.consume_stream.sse import NATIVE, Form, Pings, ViewerResponse
from services.consume_stream.subscription import Reading
from services.consume_stream.viewers import Viewers
from services.consume_stream.websocket import ViewerSocket
from shared import logs, metrics, openapi, tracing
from shared.access.gate import Gate
from shared.access.shares import Shares
from shared.doctor import Doctor
from shared.health import Health
from shared.http import ApiError, application, no_session
from shared.instance import new_instance
from shared.position import NONE
from shared.redis import TIMEOUT_S
from shared.redis_url import redis_at
from shared.version import VERSION
from shared.wires import Wires

_PATIENCE_BEYOND_LEASE_S = 2.0
_PAGE, _PAGE_MAX = 20, 50


class App:
    """One process of consume-stream: its settings, and what reads for its viewers while it serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        metrics.BUILD.labels("consume-stream", VERSION).set(1)
        self.viewers = Viewers(settings.viewers_max, settings.viewers_per_session_max)
        self._gate = Gate.of(settings)
        self._door = Door(self._gate, Shares.of(settings))
        self.health: Health | None = None
        self.admission: Admission | None = None
        self.pings: Pings | None = None

    def asgi(self) -> ASGIApp:
        """The application to serve."""
        routes = [
            Route("/api/consume-stream", self._consume, methods=["GET"]),
            WebSocketRoute("/api/consume-stream", self._socket),
            Route("/api/read-stream", self._read, methods=["GET"]),
            Route("/api/sessions/{session}", self._session, methods=["GET"]),
            *Chats(lambda: self._admission, lambda: self._teller).routes(),
            *ResponseRoutes(lambda: self._teller).routes(),
            *Completions(lambda: self._teller).routes(),
        ]
        if self.settings.doctor:
            doctor = Doctor("consume-stream", self.settings.redis_url, rights.probes, pingS=self.settings.ping_s)
            routes += [
                Route("/api/consume-stream/doctor", doctor.report, methods=["GET"]),
                Route("/api/consume-stream/doctor/beacons", self._beacons, methods=["GET"]),
            ]
        routes.append(openapi.route(SERVICE, described(doctor=self.settings.doctor)))
        return SentOn(application(routes, self._gate.middleware, self._lifespan))

    async def drain(self) -> None:
        """Say that no new viewers are wanted, and cut those there are."""
        if self.health:
            self.health.draining = True
        self.viewers.drain()

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        settings, instance = self.settings, new_instance()
        self._gate.open()
        store = redis_at(settings.redis_url, f"rejoin-consume-{instance}")
        await store.open()
        live, bulk = Wires(store, TIMEOUT_S), Wires(store, TIMEOUT_S)
        nudges, groups = Nudges(store, TIMEOUT_S, settings.recheck_s), Groups(bulk, instance)
        self.health = app.state.health = Health(bulk)
        limits = Limits(settings.viewers_per_session_max, settings.owner_viewers_max)
        seats = Seats(bulk, instance, limits)
        patience_s = settings.lease_s + _PATIENCE_BEYOND_LEASE_S
        reading = Reading(Ways(live, bulk, groups), nudges, settings.batch_max, patience_s, self.health.clock)
        self.admission = Admission(self._door, self.viewers, seats, reading)
        self.pings = Rota(settings.ping_s, operator.methodcaller("ping"))
        dropping = asyncio.create_task(self.viewers.drop_the_dead(settings.send_timeout_s), name="drop the dead")
        try:
            yield
        finally:
            dropping.cancel()
            for owner in (self._gate, self.pings, groups, seats, self.health, nudges, live, bulk, store):
                await owner.close()
            await tracing.close()

    @property
    def _admission(self) -> Admission:
        assert self.admission is not None
        return self.admission

    @property
    def _teller(self) -> Teller:
        return Teller(self._admission, self._pings)

    @property
    def _reading(self) -> Reading:
        return self._admission.reading

    @property
    def _pings(self) -> Pings:
        assert self.pings is not None
        return self.pings

    async def _consume(self, request: Request) -> Response:
        join = joining.parse(request)
        logs.note(session=join.session)
        if plain.asked_for(request):
            return await self._words(request, join)
        access = await self._admission.access(request, join.session)
        with contextlib.ExitStack() as place:
            admitted = await self._admission.admit(request, join, access, place)
            if admitted is None:
                return Response(status_code=204)
            form = NATIVE if join.ping == "comment" else Form(ping=frames.ping_event(self.settings.ping_s))
            return ViewerResponse(admitted.subscription, place.pop_all(), self._pings, form, admitted.over)

    async def _socket(self, socket: WebSocket) -> None:
        join = joining.parse(socket)
        logs.note(session=join.session)
        access = await self._admission.access(socket, join.session)
        with contextlib.ExitStack() as place:
            admitted = await self._admission.admit(socket, join, access, place)
            await socket.accept()
            if admitted is None:
                await socket.close()
                return
            ping_s = self.settings.ping_s if join.ping == "event" else None
            await ViewerSocket(socket, admitted, ping_s).tell(self._pings)

    async def _read(self, request: Request) -> Response:
        poll = Poll.asked_for(request)
        logs.note(session=poll.join.session)
        access = await self._admission.access(request, poll.join.session)
        with contextlib.ExitStack() as place:
            admitted = await self._admission.admit_poll(request, poll.join, access, place)
            return await poll.answer(request, admitted)

    async def _words(self, request: Request, join: Join) -> Response:
        if join.follow == "session":
            raise ApiError(400, "invalid_follow", "In plain text one answer can be followed, and no session.")
        found = await self._teller.find(request, join.session, generation_of(request))
        return await self._teller.tell(request, join.session, found, Plain(), plain.FORM, after=join.position)

    async def _beacons(self, request: Request) -> Response:
        beacons = Beacons.asked_for(request)
        with contextlib.ExitStack() as place:
            place.enter_context(beacons.place())
            # Limited, cut at a drain and dropped when dead, as every viewer is. No session has a name so short.
            place.enter_context(self.viewers.admit("doctor", request.scope))
            return ViewerResponse(beacons, place.pop_all(), self._pings)

    async def _session(self, request: Request) -> Response:
        session = joining.session_id(request.path_params["session"])
        logs.note(session=session)
        before = request.query_params.get("before")
        limit = joining.whole_number(request, "limit", 1, _PAGE_MAX) or _PAGE
        position = joining.resume_point(before) if before is not None else None
        wires = self._reading.ways.bulk
        access = await self._admission.access(request, session)
        last = await standing.last(wires, session, access.right)
        if last is None:
            raise no_session()
        page = await sessions.page(wires, session, position, limit, access)
        viewers = await self._reading.ways.groups.living(session)
        # Once more: what was read since may be another's, who has taken the place of a session that was deleted.
        if not await standing.allowed(wires, session, access.right):
            raise no_session()
        # A client that shows this page follows from the newest entry that is in it, not from an older or newer one.
        # Who sees one generation alone is told of no other, not even when it was written.
        end = last.id if access.generation is None else page.newest or NONE
        newest = page.newest if page.newest and position is None else end
        shown = {"sessionId": session, "generations": page.generations, "viewers": viewers, "lastEventId": str(newest)}
        return JSONResponse(shown | ({"next": page.next} if page.next else {}))
