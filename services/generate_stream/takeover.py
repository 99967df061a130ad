"""Takeover: what becomes of a generation whose producer is gone."""

import asyncio
import contextlib
import dataclasses
import hashlib
import logging
import math
import random
import time
from collections.abc import Mapping

import nanoid
from pydantic import ValidationError
from redis.exceptions import RedisError, ResponseError

from services.generate_stream import metrics, spans
from services.generate_stream.attempt import LOST_CODE, Fields, Held
from services.generate_stream.log import Log
from services.generate_stream.producer import Producer
from shared import events, keys, logs
from shared.channels import Channels
from shared.redis import retried
from shared.wire import RedisAway

_log = logging.getLogger(__name__)

SLOW_S = 1.0
"""A sweep that takes longer says that Redis was away meanwhile."""

JUMP_MS = 500.0
"""A change of the server's clock against ours, from one sweep to the next, that is no measuring error."""

SWEPT_AT_ONCE = 500

_LOST = "The server that was writing this answer was lost."


class Takeover:
    """Looks for attempts whose lease is over, and has them run once more, or ends them.

    A lease says nothing while Redis can't be reached. So after the start of this process, after any sweep that
    failed or was slow, on a new connection (behind which Redis may have lost its last second), and after a jump of its
    clock, nothing is claimed for one lease: time enough for every living writer to renew its own. The two last are
    matters of one node, where there are several. What was released is taken at once.
    """

    def __init__(self, producer: Producer, channels: Channels, lease_s: float, sweep_s: float, policy: str) -> None:
        self._producer = producer
        self._log: Log = producer.log
        self._channels = channels
        self._lease_s = lease_s
        self._lease_ms = int(lease_s * 1000)
        self._sweep_s = sweep_s
        self._policy = policy
        self._patient_until = time.monotonic() + lease_s
        self._clocks_ahead_ms: dict[str, float] = {}
        self._jumped_at: dict[str, float] = {}
        self._looks: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self._sweep_for_ever()), asyncio.create_task(self._listen())]

    async def close(self) -> None:
        """End every task."""
        tasks = [*self._tasks, *self._looks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            # Replicas that were started together shall not look together for ever.
            slept = asyncio.sleep(self._sweep_s * random.uniform(0.8, 1.0))
            before = time.monotonic()
            await slept
            try:
                await self._sweep()
            except RedisError as error:
                logs.warning(_log, "sweep failed", cause=str(error))
                self._patient_until = time.monotonic() + self._lease_s
            # Also when this very process was paused: what it believes of leases is old then.
            if time.monotonic() - before > self._sweep_s + SLOW_S:
                self._patient_until = time.monotonic() + self._lease_s

    async def _sweep(self) -> None:
        began = time.monotonic()
        self._look_at_clocks(await self._log.clocks())
        due = await self._log.due(SWEPT_AT_ONCE)
        held = await asyncio.gather(*(self._log.held(session) for session, _ in due), return_exceptions=True)
        slow = began < self._patient_until or time.monotonic() - began > SLOW_S
        orphaned = 0
        for (session, score), one in zip(due, held, strict=True):
            if isinstance(one, BaseException):
                logs.warning(_log, "a lease can't be looked at", session=session, cause=str(one))
            else:
                orphaned += not await self._see_to(one, score, slow=slow)
        metrics.ORPHANED.set(orphaned)

    def _look_at_clocks(self, ahead_ms: Mapping[str, float]) -> None:
        for node, ahead in ahead_ms.items():
            if abs(ahead - self._clocks_ahead_ms.get(node, ahead)) > JUMP_MS:
                self._jumped_at[node] = time.monotonic()
        self._clocks_ahead_ms = dict(ahead_ms)

    def _is_settled(self, session: str) -> bool:
        """Whether every living writer has had the time to renew its lease on the node of this session."""
        jumped_s = time.monotonic() - self._jumped_at.get(self._log.node(session), -math.inf)
        return min(self._log.connected_s(session), jumped_s) > self._lease_s

    async def _see_to(self, held: Held, score: float, *, slow: bool) -> bool:
        """Take it out of the index, leave it to its producer, or take it over; False where it must wait."""
        try:
            if not held.running:
                await self._log.leave_running(held.session, score)
            elif held.released or (held.over(self._lease_ms) and not slow and self._is_settled(held.session)):
                return await self._take_if_readable(held)
        except (ResponseError, KeyError, ValueError) as error:
            # Of another hand than ours, or damaged: the other sessions must not wait for that, either.
            logs.warning(_log, "left as it is: meta makes no sense", session=held.session, cause=repr(error))
            return False
        return True

    async def _take_if_readable(self, held: Held) -> bool:
        try:
            return await self._take(held)
        except ValidationError as error:
            # Of a newer version, in the middle of a roll-out: one of its own processes will take it, and the other
            # sessions must not wait for that.
            where = {"session": held.session, "generation": held.generation}
            logs.warning(_log, "left to a process that can read its request", **where, errors=error.error_count())
            return False

    async def _take(self, held: Held) -> bool:
        """Take an attempt over, unless its producer or somebody else was first; False where it must wait."""
        policy = "failed" if not held.released and (self._policy == "fail" or held.losses) else "restart"
        # A stop or a failure needs no provider, so whoever comes first may end it.
        if policy == "restart" and not held.stopping and not self._can_run(held):
            return False
        token, told = nanoid.generate(), held.told()
        score = 0.0
        # At maxmemory Redis refuses this one alone, and the session is in the index already.
        with contextlib.suppress(ResponseError):
            score = await self._log.enter_running(held.session)
        ended = await self._end_of(held)
        failed = ended | {"code": LOST_CODE, "error": _LOST, "retryable": "true"}
        stopped = ended | {"finishReason": "stopped"}
        # A claim holds for a moment only, and what came before it took its time: round trips for a long answer's pages,
        # and its place among others. The lease seen then must still be the lease held, so a new moment does no harm.
        now_ms = await self._log.now_ms(held.session)
        claimed = dataclasses.replace(held, now_ms=now_ms)
        reply = await retried(lambda: self._log.claim(claimed, token, policy, told, failed, stopped))
        if reply[0] in ("claimed", "ended"):
            outcome = reply[1] if reply[0] == "ended" else "restarted"
            metrics.TAKEOVERS.labels(outcome, "released" if held.released else "lost").inc()
            where = {"session": held.session, "generation": held.generation, "request_id": held.request_id}
            logs.info(_log, "took over", **where, outcome=outcome, released=held.released, losses=held.losses)
        if reply[0] == "ended":
            code = failed["code"] if outcome == "failed" else ""
            metrics.OUTCOMES.labels(told["provider"], outcome, code).inc()
            spans.ended(held, outcome)
        if reply[0] == "claimed":
            attempt = held.taken(int(reply[1]), int(reply[2]), token, self._log.producer, told)
            self._producer.run(attempt, held.body, score)
        return True

    def _can_run(self, held: Held) -> bool:
        busy = self._producer.draining or self._producer.full
        return not busy and held.body.provider in self._producer.providers

    async def _end_of(self, held: Held) -> Fields:
        """The terminal fields for what the log has of the lost attempt."""
        texts: list[str] = []
        async for entry in self._log.back(held.session):
            if events.is_started(entry.fields):
                break
            if entry.fields.get("type") == "chunk":
                texts.append(entry.fields.get("content", ""))
        digest = hashlib.sha256("".join(reversed(texts)).encode()).hexdigest()
        duration_ms = max(0, held.now_ms - int(held.meta["attemptMs"]))
        return {"ms": "0", "chunks": str(len(texts)), "durationMs": str(duration_ms), "digest": digest}

    async def _listen(self) -> None:
        while True:
            try:
                await self._channels.listen(keys.TAKEOVER, self._handed_over)
            except RedisAway:
                continue  # until then a release is found by the sweep
            return

    def _handed_over(self, data: bytes) -> None:
        if data:
            task = asyncio.create_task(self._look_at(data.decode()))
            self._looks.add(task)
            task.add_done_callback(self._looks.discard)

    async def _look_at(self, session: str) -> None:
        try:
            held = await self._log.held(session)
            if held.released:
                await self._take_if_readable(held)
        except RedisError as error:
            logs.warning(_log, "looking at a released generation failed", session=session, cause=str(error))
