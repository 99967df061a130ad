"""This process as a producer: the generations that it runs, the channel that wakes them, its drain."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping

from services.generate_stream import asking, history, metrics
from services.generate_stream.attempt import LOST_CODE, Attempt
from services.generate_stream.bodies import StartBody
from services.generate_stream.generation import Generation, Limits
from services.generate_stream.log import Log
from services.generate_stream.providers import CODES, ChatRequest, Provider
from services.generate_stream.quotas import Quotas, Share
from shared import keys, logs, tracing
from shared.channels import Channels
from shared.wire import RedisAway

_log = logging.getLogger(__name__)

_LET_GO_S = 8.0
"""After the drain: one append for what is released, and the while that an ended answer is kept."""


class Producer:
    """Runs each generation in a task of its own, until the process is drained."""

    def __init__(
        self,
        log: Log,
        providers: Mapping[str, Provider],
        channels: Channels,
        limits: Limits,
        running_max: int,
        quotas: Quotas,
    ) -> None:
        self.draining = False
        self.log = log
        self.providers = providers
        self.quotas = quotas
        self._channels = channels
        self._limits = limits
        self._running_max = running_max
        metrics.RUNNING_MAX.set(running_max)
        metrics.expect(providers, (*CODES, LOST_CODE))
        self._promised = 0
        """Places held for generations that Redis has not confirmed yet."""
        self._generations: dict[str, Generation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._fewer = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(), name="control")

    @property
    def full(self) -> bool:
        """Whether this process runs as many generations as it may."""
        return len(self._generations) + self._promised >= self._running_max

    @property
    def generations(self) -> list[Generation]:
        """All that run here."""
        return list(self._generations.values())

    def running(self, session: str, generation: int) -> Generation | None:
        """A generation that runs here."""
        running = self._generations.get(session)
        return running if running and running.attempt.generation == generation else None

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for a generation that may begin: a drain waits for it."""
        self._promised += 1
        try:
            yield
        finally:
            self._promised -= 1
            self._fewer.set()

    def run(self, attempt: Attempt, body: StartBody, score: float, share: Share | None = None) -> None:
        """Run an attempt that this process holds. `score` is its session's in the index of running generations, `share`
        what it has of its quotas; one that was taken over has what meta says.
        """
        if share is None:
            share = self.quotas.share(attempt.session, attempt.owner, attempt.address)
            share.renew()
        model, provider = attempt.started["model"], self.providers[attempt.started["provider"]]

        async def compose() -> ChatRequest:
            messages = await history.conversation(self.log, attempt, body, self._limits.history_max_bytes)
            return asking.request(body, model, messages)

        generation = Generation(attempt, self.log, provider, compose, self._limits, score, share)
        self._generations[attempt.session] = generation
        generation.over.add_done_callback(lambda _: self._forget(generation))
        where = {"session": attempt.session, "generation": attempt.generation, "attempt": attempt.number}
        # What it logs, and all of its tasks, is of this generation; one taken over, of the request that asked for it.
        trace_id = tracing.trace_id(attempt.traceparent)
        with logs.about(**where, request_id=attempt.request_id, trace_id=trace_id):
            logs.info(_log, "generation started", provider=provider.name, model=model)
            task = asyncio.create_task(generation.run(), name=f"generation {attempt.session}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        metrics.STARTED.labels(provider.name).inc()
        metrics.RUNNING.set(len(self._generations))

    async def drain(self, seconds: float) -> None:
        """Take no new work; let what runs finish within the time, release the rest."""
        self.draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # What Redis has not answered yet may be promised to a client already, or will be.
                while self._promised or self._generations:
                    await self._one_fewer()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LET_GO_S):
                while self._promised or self._tasks:
                    for generation in self._generations.values():
                        generation.release()
                    await self._one_fewer()

    async def close(self) -> None:
        """End every task."""
        self._listening.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._listening, *self._tasks, return_exceptions=True)

    async def _one_fewer(self) -> None:
        self._fewer.clear()
        await self._fewer.wait()

    def _forget(self, generation: Generation) -> None:
        session = generation.attempt.session
        if self._generations.get(session) is generation:
            del self._generations[session]
        metrics.RUNNING.set(len(self._generations))
        self._fewer.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._fewer.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._channels.listen(keys.control(self.log.producer), self._woken)
            except RedisAway:
                continue  # until then a stop is seen at the next beat
            return

    def _woken(self, data: bytes) -> None:
        session = data.decode("utf-8", "replace")
        for generation in [self._generations.get(session)] if session else self._generations.values():
            if generation:
                generation.look()
