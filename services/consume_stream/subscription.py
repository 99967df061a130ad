"""A subscription: one viewer's way through one log, replay and tail in one loop."""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from redis.exceptions import RedisError

from services.consume_stream import metrics, standing
from services.consume_stream.access import Access
from services.consume_stream.batches import Batch
from services.consume_stream.group_reads import GroupReads, Ways
from services.consume_stream.nudges import RECHECK, Nudges
from shared import events, keys, tracing
from shared.position import NONE, Position
from shared.redis import backoff_s
from shared.server_clock import ServerClock

Follow = Literal["answer", "session"]

_POLL_FAILURES_MAX = 3
"""In a row: the group may have gone with its log, of which the next look tells."""


class Reset(NamedTuple):
    """The viewer must forget everything; the whole log comes next."""

    reason: str


class Revoked(Exception):
    """The link by which the viewer reads holds no more: its connection is to be cut."""


class Broken(Exception):
    """What a viewer followed can't be told to its end: its connection is to be cut."""


class LogGone(Broken):
    """The log is gone."""


@dataclass(frozen=True)
class Reading:
    """How this process reads: what all its subscriptions share."""

    ways: Ways
    nudges: Nudges
    batch_max: int
    patience_s: float
    """How long a log may be absent, or behind a viewer, before that counts: one lease and two seconds."""
    clock: ServerClock


class Subscription:
    """Follows one log from `position`, the last entry handed on."""

    def __init__(self, reading: Reading, session: str, position: Position, follow: Follow, access: Access) -> None:
        self.position = position
        self._reading = reading
        self._session = session
        # One generation has one answer.
        self._follow: Follow = follow if access.generation is None else "answer"
        self._access = access
        self._reads = GroupReads(reading.ways, session, reading.batch_max, access)
        self._nudged = asyncio.Event()
        self._ended = False
        """Whether the entry at `position` is terminal."""
        self._over = False
        self._patient_until: float | None = None
        self._waits_until: float | None = None

    @property
    def ended(self) -> bool:
        """Whether what is followed is one answer, and has its end at `position`."""
        return self._ended and self._follow == "answer"

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._over

    async def batches(self, until: float | None = None) -> AsyncGenerator[Batch | Reset, None]:
        """Everything after `position`, as it comes, each batch asked for when the last one has been taken.

        Ends when an answer is followed and has its end; and where there is nothing more just now, at `until`, by the
        event loop's clock. Raises LogGone, Revoked, and with `until` RedisError.
        """
        self._waits_until = until
        failures = 0
        try:
            while True:
                try:
                    step = await self._step()
                    failures = 0
                except RedisError:
                    # Who polls has a word for it, and asks again.
                    if until is not None and failures == _POLL_FAILURES_MAX:
                        raise
                    await asyncio.sleep(backoff_s(failures) * random.uniform(0.5, 1.5))
                    failures += 1
                    continue
                except TimeoutError:
                    return
                if step:
                    yield step
                elif self._over:
                    return
        finally:
            # Nothing here waits, so it runs whole when the viewer is cancelled.
            self._reading.nudges.unlisten(self._session, self._nudge)
            self._reads.close()

    def _nudge(self, said: bytes) -> None:
        self._nudged.set()
        if said == RECHECK:
            self._reads.recheck()
        else:
            self._reads.nudge()

    async def _step(self) -> Batch | Reset | None:
        """What comes next: a batch, a reset, or nothing yet; `_over` tells whether there will be any more."""
        reads = self._reads
        if reads.stands:
            done = self.ended
            live = reads.drained and not done
            batch = await (self._tail() if live else reads.read())
            self._over = done and batch is None
            return self._take(batch, live=live) if batch else None
        await self._reading.nudges.listen(self._session, self._nudge)
        # Cleared before the look: what is appended from here on sets it again.
        self._nudged.clear()
        resumed = await reads.resume(self.position)
        if self._access.shared and not resumed.allowed:
            raise Revoked
        if resumed.verdict == "wait":
            return await self._wait_for_log()
        self._patient_until, self._ended = None, resumed.ended
        return self._reset("unknown_position") if resumed.verdict == "reset" else None

    async def _tail(self) -> Batch | None:
        if self._waits_until is None:
            return await self._reads.tail()
        async with asyncio.timeout_at(self._waits_until):
            return await self._reads.tail()

    def _take(self, batch: Batch, *, live: bool) -> Batch | None:
        """What of a batch is new: a group that Redis set back brings again what its viewer has passed."""
        new = batch.after(self.position)
        if new and self._access.generation is not None:
            new = new.of_generation(self._access.generation)
        if new:
            self.position = new.last.id
            self._ended = events.is_terminal(new.last.fields)
            self._measure(new, live=live)
        return new

    def _measure(self, new: Batch, *, live: bool) -> None:
        count = len(new)
        metrics.ENTRIES.value += count
        frames = metrics.LIVE_FRAMES if live else metrics.REPLAY_FRAMES
        frames.value += 1 if count == 1 else new.frame_count
        if live and new.came_at_s is not None:
            lag_s = time.time() + self._reading.clock.ahead_s - new.came_at_s
            # Ids are ahead of a clock that went back: then nothing is known.
            metrics.LAG.observe(lag_s if lag_s > 0 else 0.0)

    async def _wait_for_log(self) -> Reset | None:
        if self._follow == "session" and self.position == NONE:
            async with asyncio.timeout_at(self._waits_until):
                await self._nudged.wait()
            return None
        if self._patient_until is None:
            self._patient_until = self._missed_since() + self._reading.patience_s
        if self._nudged.is_set():
            return None
        left_s = self._patient_until - time.monotonic()
        # Where somebody wanted it gone, nothing of it will be written again.
        asked = self._reading.ways.bulk, self._session, self._access.right
        if left_s > 0 and not await standing.was_deleted(*asked):
            async with asyncio.timeout_at(self._waits_until):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await self._nudged.wait()
                    return None
        self._patient_until = None
        if await standing.last(*asked):
            return self._reset("unknown_position")
        if self._follow == "answer":
            raise LogGone
        return self._reset("gone")

    def _missed_since(self) -> float:
        """Since when what a viewer misses in the log may be about to be written again."""
        if self._waits_until is None:
            return time.monotonic()
        # Who polls would wait anew with each poll. Redis loses words only by going away, and then connections break:
        # a writer has had as long as this one stands. Who has read nothing misses nothing.
        connected_at = self._reading.ways.bulk.of(keys.log(self._session)).connected_at
        return -math.inf if self.position == NONE else min(time.monotonic(), connected_at)

    def _reset(self, reason: str) -> Reset:
        metrics.RESETS.labels(reason).inc()
        tracing.current().event("reset", {"rejoin.reason": reason})
        self.position, self._ended = NONE, False
        return Reset(reason)
