"""generate-stream over HTTP: routes, and what lives as long as the process."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from services.generate_stream import reading, rights
from services.generate_stream.bodies import DeleteBody, StartBody, StopBody
from services.generate_stream.dialects import reads
from services.generate_stream.dialects.chat import Chats
from services.generate_stream.dialects.completions import Completions
from services.generate_stream.dialects.responses import Responses
from services.generate_stream.generation import Limits
from services.generate_stream.log import Lease, Log
from services.generate_stream.login import Login
from services.generate_stream.openapi import SERVICE, described
from services.generate_stream.orphans import Orphans
from services.generate_stream.producer import Producer
from services.generate_stream.prompting import Prompting, idempotency_key
from services.generate_stream.providers.registry import configured
from services.generate_stream.quotas import Quotas
from services.generate_stream.settings import Settings
from services.generate_stream.sharing import Sharing
from services.generate_stream.takeover import Takeover
from shared import keys, logs, metrics, openapi, tracing
from shared.access.gate import Gate
from shared.access.shares import Shares
from shared.channels import Channels
from shared.doctor import Doctor
from shared.health import Health
from shared.http import ApiError, application, no_session
from shared.instance import new_instance
from shared.redis import TIMEOUT_S
from shared.redis_url import redis_at
from shared.version import VERSION
from shared.wires import Wires


class App:
    """One process of generate-stream: its settings, and its producer while it serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        metrics.BUILD.labels("generate-stream", VERSION).set(1)
        # Here, and not when it serves: the SDKs take up to 1.5 s to load, and a process that listens before it can
        # answer lets its first callers wait that long, where a refused one would have gone to another replica.
        self._providers = configured(settings.providers)
        self._gate = Gate.of(settings)
        self._shares = Shares.of(settings)
        self.producer: Producer | None = None
        self.health: Health | None = None

    def asgi(self) -> ASGIApp:
        """The application to serve."""
        settings = self.settings
        bytes_max = settings.prompt_max_bytes, settings.history_max_bytes
        routes = [
            Route("/api/generate-stream", self._start, methods=["POST"]),
            Route("/api/stop-stream", self._stop, methods=["POST"]),
            Route("/api/delete-stream", self._delete, methods=["POST"]),
            Route("/api/models", self._models),
            *Chats(self._gate, lambda: self._running, lambda: self._prompting, bytes_max).routes(),
            *Login(self._gate, sharing=self._shares.on).routes(),
            *Responses(self._gate, lambda: self._running, lambda: self._prompting, settings.prompt_max_bytes).routes(),
            *Sharing(self._gate, self._shares, lambda: self._running.log).routes(),
            *reads.routes(),
            *Completions(self._gate, lambda: self._prompting, self._providers, settings.prompt_max_bytes).routes(),
        ]
        if self.settings.doctor:
            doctor = Doctor("generate-stream", self.settings.redis_url, rights.probes)
            routes.append(Route("/api/generate-stream/doctor", doctor.report, methods=["GET"]))
        routes.append(openapi.route(SERVICE, described(doctor=self.settings.doctor)))
        return application(routes, self._gate.middleware, self._lifespan)

    async def drain(self) -> None:
        """Say that no new work is wanted, then let go of what runs."""
        if self.health and self.producer:
            self.health.draining = True
            await self.producer.drain(self.settings.drain_s)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        settings, instance = self.settings, new_instance()
        self._gate.open()
        store = redis_at(settings.redis_url, f"rejoin-generate-{instance}")
        async with contextlib.AsyncExitStack() as owned:
            owned.push_async_callback(tracing.close)
            owned.push_async_callback(self._gate.close)
            for provider in self._providers.values():
                owned.push_async_callback(provider.close)
                await provider.warm()
            owned.push_async_callback(store.close)
            await store.open()
            appends, commands = Wires(store, TIMEOUT_S), Wires(store, TIMEOUT_S)
            # Plain PUBLISH reaches every node: any will do, and this one has to be there for the index anyway.
            channels = Channels(lambda: store.connect(store.node(keys.RUNNING)), TIMEOUT_S)
            self.health = app.state.health = Health(commands)
            log = Log(appends, commands, instance, Lease(settings.lease_s, settings.ttl_s))
            quotas = Quotas(commands, settings.owner_allowance, settings.address_allowance, settings.lease_s)
            limits, most = _limits(settings), settings.running_max
            self.producer = Producer(log, self._providers, channels, limits, most, quotas)
            orphans = Orphans(self.producer, commands, settings.orphan_grace_s)
            takeover = Takeover(self.producer, channels, settings.lease_s, settings.sweep_s, settings.on_lost_producer)
            for owner in (appends, commands, channels, self.health, self.producer, takeover, orphans):
                owned.push_async_callback(owner.close)
            yield

    @property
    def _prompting(self) -> Prompting:
        return Prompting(self._running, self.settings.session_generations_max, self.settings.trusted_proxies)

    @property
    def _running(self) -> Producer:
        assert self.producer is not None
        return self.producer

    async def _start(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        key = idempotency_key(request)
        body = await reading.read(request, StartBody, self.settings.prompt_max_bytes)
        begun = await self._prompting.begin(request, body, identity.owner, key)
        where = begun.where | {"streamUrl": f"/api/consume-stream?sessionId={begun.session}"}
        if body.stream:
            return JSONResponse(where, 202)
        try:
            answer = await self._prompting.answer(request, begun)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it, and the answer goes on
        except ApiError as error:
            error.facts = where
            raise
        if answer.status == "failed":
            failed = ApiError(502, str(answer.end.get("code")), str(answer.end.get("error")))
            failed.facts = begun.where
            raise failed
        said = {"status": answer.status, "text": answer.text, "reasoning": answer.reasoning}
        ended = {"usage": answer.usage, "finishReason": answer.end.get("finishReason")}
        calls = {"toolCalls": answer.tool_calls} if answer.tool_calls else {}
        return JSONResponse({**begun.where, **said, **calls, **ended})

    async def _stop(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        body = await reading.read(request, StopBody, 0)
        logs.note(session=body.sessionId)
        match await self._running.log.stop(body.sessionId, body.generation, identity.owner):
            case ["stopping", generation]:
                return JSONResponse({"stopped": True, "generation": int(generation)}, 202)
            case ["idle"]:
                return JSONResponse({"stopped": False})
            case _:
                raise no_session()

    async def _delete(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        body = await reading.read(request, DeleteBody, 0)
        logs.note(session=body.sessionId)
        await self._running.log.delete(body.sessionId, identity.owner)
        return Response(status_code=204)

    async def _models(self, request: Request) -> Response:
        await self._gate.identity(request)
        providers = self._running.providers.values()
        first = next(iter(providers))
        offered = [{"name": provider.name, "models": list(provider.models)} for provider in providers]
        return JSONResponse({"default": {"provider": first.name, "model": first.models[0]}, "providers": offered})


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.lease_s,
        settings.ttl_s,
        settings.stall_timeout_s,
        settings.answer_max_bytes,
        settings.history_max_bytes,
    )
