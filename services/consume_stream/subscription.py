"""A subscription: one viewer's way through one log, replay and tail in one loop."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from redis.exceptions import RedisError, ResponseError

from services.consume_stream import metrics
from services.consume_stream.groups import Groups
from services.consume_stream.nudges import Nudges
from services.consume_stream.resume import Verdict, judge
from shared import events, keys
from shared.events import Entry
from shared.position import NONE, Position
from shared.redis import backoff_s
from shared.wire import Wire, pack

Follow = Literal["answer", "session"]


class Reset(NamedTuple):
    """The viewer must forget everything; the whole log comes next."""

    reason: str


class LogGone(Exception):
    """The log that the viewer followed is gone: its connection is to be cut."""


@dataclass(frozen=True)
class Reading:
    """How this process reads: what all its subscriptions share."""

    live: Wire
    """For reads at the end of a log, which bring little and are waited for."""
    bulk: Wire
    """For replays and commands."""
    groups: Groups
    nudges: Nudges
    batch_max: int
    patience_s: float
    """How long a log may be absent, or behind a viewer, before that counts: one lease and two seconds."""


class Subscription:
    """Owns one consumer group while it lives. `position` is the last entry handed on."""

    def __init__(self, reading: Reading, session: str, position: Position, follow: Follow) -> None:
        self.position = position
        self._reading = reading
        self._session = session
        self._follow = follow
        self._group = reading.groups.new()
        read = ("XREADGROUP", "GROUP", self._group, "viewer", "COUNT", reading.batch_max)
        self._read_command = pack(*read, "NOACK", "STREAMS", keys.log(session), ">")
        self._nudged = asyncio.Event()
        self._listening = False
        self._stands = False
        """Whether the group is known to be at `position`."""
        self._epoch = 0
        self._replaying = True
        self._drained = False
        """Whether the last read brought all there was."""
        self._ended = False
        """Whether the entry at `position` is terminal."""
        self._patient_until: float | None = None

    async def batches(self) -> AsyncGenerator[list[Entry] | Reset, None]:
        """Everything after `position`, as it comes, each batch asked for when the last one has been taken.

        Ends when an answer is followed and has its end. Raises LogGone.
        """
        failures = 0
        try:
            while True:
                try:
                    step = await self._step()
                    failures = 0
                except RedisError:
                    # With NOACK, a reply that got lost has moved the group on: whatever failed, resume.
                    self._stands = False
                    await asyncio.sleep(backoff_s(failures) * random.uniform(0.5, 1.5))
                    failures += 1
                    continue
                if step is None:
                    return
                if step:
                    yield step
        finally:
            # Nothing here waits, so it runs whole when the viewer is cancelled.
            self._reading.nudges.unlisten(self._session, self._nudge)
            self._reading.groups.destroy(self._session, self._group)

    def _nudge(self, _: bytes) -> None:
        self._nudged.set()

    async def _step(self) -> list[Entry] | Reset | None:
        """What comes next: a batch, a reset, nothing yet (an empty batch), or None at the end."""
        if not self._listening:
            await self._reading.nudges.listen(self._session, self._nudge)
            self._listening = True
        if not self._stands or self._epoch != self._reading.live.epoch:
            verdict = await self._resume()
            if verdict == "wait":
                return await self._wait_for_log()
            self._patient_until = None
            if verdict == "reset":
                return self._reset("unknown_position")
        done = self._ended and self._follow == "answer"
        if self._drained and not done:
            await self._nudged.wait()
            # Not read here: Redis may have been away meanwhile.
            self._drained = False
            return []
        batch = await self._read()
        if batch:
            self._ended = events.is_terminal(batch[-1].fields)
        return None if done and not batch else batch

    async def _resume(self) -> Verdict:
        """Bring the group to `position`, and judge whether to go on from there."""
        metrics.RESUMES.inc()
        self._nudged.clear()
        self._epoch = self._reading.live.epoch
        log, at = keys.log(self._session), str(self.position)
        made = self._reading.groups.make(self._session, self._group, self.position)
        found = self._reading.bulk.send(pack("XRANGE", log, at, at, "COUNT", 1))
        last = self._reading.bulk.send(pack("XREVRANGE", log, "+", "-", "COUNT", 1))
        refusal, here, end = await asyncio.gather(_refusal(made), found, last)
        if refusal and "BUSYGROUP" in str(refusal):
            await self._reading.groups.move(self._session, self._group, self.position)
        elif refusal and end:
            raise refusal
        entries = [events.decode(raw) for raw in here]
        verdict = judge(self.position, events.decode(end[0]).id if end else None, found=bool(entries))
        if verdict == "go":
            self._stands, self._replaying, self._drained = True, True, False
            self._ended = bool(entries) and events.is_terminal(entries[0].fields)
            self._reading.groups.sweep(self._session)
        return verdict

    async def _wait_for_log(self) -> list[Entry] | Reset:
        if self._follow == "session" and self.position == NONE:
            await self._nudged.wait()
            return []
        now = time.monotonic()
        self._patient_until = self._patient_until or now + self._reading.patience_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._patient_until - now)):
                await self._nudged.wait()
            return []
        self._patient_until = None
        if await self._reading.bulk.call("EXISTS", keys.log(self._session)):
            return self._reset("unknown_position")
        if self._follow == "answer":
            raise LogGone
        return self._reset("gone")

    def _reset(self, reason: str) -> Reset:
        metrics.RESETS.labels(reason).inc()
        self.position, self._stands, self._ended = NONE, False, False
        return Reset(reason)

    async def _read(self) -> list[Entry]:
        wire = self._reading.bulk if self._replaying else self._reading.live
        metrics.READS.inc()
        # Cleared before the read: what is appended from here on sets it again.
        self._nudged.clear()
        reply = await wire.send(self._read_command)
        raw = reply[0][1] if reply else []
        # At the end of the log the replay becomes the tail: the same read, on the wire of those who wait.
        self._drained = len(raw) < self._reading.batch_max
        self._replaying = not self._drained
        entries = [entry for entry in map(events.decode, raw) if entry.id > self.position]
        if entries:
            self.position = entries[-1].id
            metrics.ENTRIES.inc(len(entries))
        return entries


async def _refusal(made: asyncio.Future[Any]) -> ResponseError | None:
    try:
        await made
    except ResponseError as refusal:
        return refusal
    return None
