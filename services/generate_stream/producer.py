"""This process as a producer: the generations it runs, the channel that wakes it, its drain."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import nanoid
from redis.exceptions import OutOfMemoryError, RedisError

from services.generate_stream import history, metrics
from services.generate_stream.attempt import Ask, Attempt, Fields
from services.generate_stream.bodies import StartBody
from services.generate_stream.generation import Generation, Limits
from services.generate_stream.log import Log
from services.generate_stream.providers import ChatRequest, Provider
from shared import keys, logs
from shared.channels import Channels
from shared.http import ApiError
from shared.redis import retried
from shared.wire import RedisAway

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """What one process takes on."""

    running_max: int
    session_generations_max: int
    history_max_bytes: int
    drain_s: float


class Producer:
    """Begins generations and runs each in a task of its own, until the process is drained."""

    def __init__(
        self, log: Log, providers: Mapping[str, Provider], channels: Channels, bounds: Bounds, limits: Limits
    ) -> None:
        self.draining = False
        self.log = log
        self.providers = providers
        self._bounds = bounds
        self._limits = limits
        self._channels = channels
        self._generations: dict[str, Generation] = {}
        self._starting = 0
        """Starts that Redis has not answered yet: each holds the place that it may need."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = asyncio.create_task(self._listen(), name="control")

    def running(self, session: str, generation: int) -> Generation | None:
        """A generation that runs here."""
        running = self._generations.get(session)
        return running if running and running.attempt.generation == generation else None

    async def start(self, body: StartBody, session: str, idempotency_key: str) -> int:
        """Begin a generation, or find the one that this key began; returns its number.

        Raises ApiError with 409, 422 or 503, and RedisAway.
        """
        self._admit()
        provider = self._provider(body.provider)
        self._starting += 1
        try:
            return await self._begin(body, session, idempotency_key, provider)
        finally:
            self._starting -= 1

    async def _begin(self, body: StartBody, session: str, idempotency_key: str, provider: Provider) -> int:
        model = body.model or provider.models[0]
        token = nanoid.generate()
        ask = Ask(session, body, provider.name, model, token, self.log.producer, idempotency_key)
        told = ask.told()
        score = await self.log.enter_running(session)
        reply = await self._start(ask, told)
        if reply[0] == "started":
            attempt = ask.begun(int(reply[1]), int(reply[2]), told)
            self._run(attempt, body, provider, model, score)
            return attempt.generation
        if "running" not in reply:
            # Nothing runs in this session; what runs needs its entry in the index, whoever made it.
            await self.log.leave_running(session, score)
        if reply[0] == "same":
            return int(reply[1])
        raise _refusal(reply, self._bounds.session_generations_max)

    def can_run(self, body: StartBody) -> bool:
        """Whether this process may take on a generation that another began."""
        full = len(self._generations) + self._starting >= self._bounds.running_max
        return not self.draining and not full and body.provider in self.providers

    async def take(self, attempt: Attempt, body: StartBody) -> None:
        """Run an attempt that was claimed."""
        score = 0.0
        with contextlib.suppress(RedisError):
            score = await self.log.enter_running(attempt.session)
        provider = self.providers[body.provider or ""]
        self._run(attempt, body, provider, body.model or "", score)

    async def drain(self) -> None:
        """Take no new work; let what runs finish within the time set, and release the rest."""
        self.draining = True
        generations = list(self._generations.values())
        if generations:
            await asyncio.wait([one.over for one in generations], timeout=self._bounds.drain_s)
        for generation in list(self._generations.values()):
            generation.release()
        if self._tasks:
            # A released one needs one append; an ended one keeps its answer a moment longer.
            await asyncio.wait(self._tasks, timeout=5)

    async def close(self) -> None:
        """End every task."""
        self._listening.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._listening, *self._tasks, return_exceptions=True)

    def _admit(self) -> None:
        if self.draining:
            raise ApiError(503, "draining", "This process takes no new work. Try again.", retry=True)
        if len(self._generations) + self._starting >= self._bounds.running_max:
            raise ApiError(503, "too_many_running", "Too many answers are being written here.", retry=True)

    def _provider(self, name: str | None) -> Provider:
        provider = self.providers.get(name or next(iter(self.providers)))
        if provider is None:
            raise ApiError(422, "provider_unknown", f"provider: this server has {', '.join(self.providers)}.")
        return provider

    async def _start(self, ask: Ask, told: Fields) -> list[str]:
        try:
            # Sent again with the same token, the script tells what it has begun.
            return await retried(lambda: self.log.start(ask, told, self._bounds.session_generations_max))
        except OutOfMemoryError:
            raise ApiError(503, "storage_full", "The log has no room for new answers.", retry=True) from None

    def _run(self, attempt: Attempt, body: StartBody, provider: Provider, model: str, score: float) -> None:
        async def compose() -> ChatRequest:
            messages = await history.conversation(self.log, attempt, body, self._bounds.history_max_bytes)
            return ChatRequest(model, messages, body.system, body.maxTokens, body.temperature)

        generation = Generation(attempt, self.log, provider, compose, self._limits, score)
        self._generations[attempt.session] = generation
        metrics.STARTED.labels(provider.name).inc()
        metrics.RUNNING.set(len(self._generations))
        generation.over.add_done_callback(lambda _: self._forget(generation))
        task = asyncio.create_task(generation.run(), name=f"generation {attempt.session}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        where = {"session": attempt.session, "generation": attempt.generation}
        logs.info(_log, "generation started", **where, provider=provider.name, model=model)

    def _forget(self, generation: Generation) -> None:
        session = generation.attempt.session
        if self._generations.get(session) is generation:
            del self._generations[session]
        metrics.RUNNING.set(len(self._generations))

    async def _listen(self) -> None:
        while True:
            try:
                await self._channels.listen(keys.control(self.log.producer), self._woken)
            except RedisAway:
                continue  # until then a stop is seen at the next beat
            return

    def _woken(self, data: bytes) -> None:
        session = data.decode()
        for generation in [self._generations.get(session)] if session else self._generations.values():
            if generation:
                generation.look()


def _refusal(reply: list[str], generations_max: int) -> ApiError:
    match reply:
        case ["running", generation]:
            message = f"Generation {generation} of this session is being written."
            return ApiError(409, "generation_running", message, generation=int(generation))
        case ["reused", _]:
            message = "This Idempotency-Key came before, with another body."
            return ApiError(422, "idempotency_key_reused", message)
        case ["full"]:
            message = f"A session takes {generations_max} generations. Begin a new one."
            return ApiError(409, "session_full", message)
        case _:
            return ApiError(422, "replaces_unknown", "replaces: this session has no such generation.")
