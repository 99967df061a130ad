"""The writer of one attempt: what gathered while the last append was in flight leaves in the next."""

import asyncio
import contextlib
import logging
import time

from redis.exceptions import RedisError, ResponseError

from services.generate_stream import metrics
from services.generate_stream.attempt import Attempt
from services.generate_stream.delivery import Batch, Delivery
from services.generate_stream.draft import Draft
from services.generate_stream.log import Appended, Early, Fenced, Gap, Log
from shared import logs
from shared.redis import backoff_s

_log = logging.getLogger(__name__)

HELD_BACK_MAX_BYTES = 256 * 1024
"""Words that the log is not known to have; past this the provider is not read."""

REFUSED_MAX_S = 60.0
"""How long a Redis that answers, but refuses every append, is asked again."""

KEEP_AFTER_END_S = 3.0
KEEP_AWAY_S = 60.0
"""How much longer, when Redis is away just then."""

_EARLY_S = 0.05

_AWAY_S = 0.1
"""Between two tries while Redis is away. All writers of a process share each attempt to connect, so it costs little;
and what Redis has lost is missing for everybody until it is written again."""

STOP = "stop"
RELEASED = "released"
FENCED = "fenced"
LOST = "lost"
GONE = "gone"


class Writer:
    """Brings a draft into the log, one append at a time, and keeps the lease.

    It never gives up on Redis while the session could still be there: an append whose reply is lost is sent again
    (the ids make that harmless), and a gap is filled from the draft, which holds the whole attempt.
    """

    def __init__(self, attempt: Attempt, draft: Draft, log: Log, lease_s: float, ttl_s: float, score: float) -> None:
        self._attempt = attempt
        self._draft = draft
        self._log = log
        self._beat_s = lease_s / 3
        self._ttl_s = ttl_s
        self._score = score
        self._delivery = Delivery(draft)
        self._releasing = False
        self._epoch = -1
        """The connection on which the log was last known to have all."""
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._beat_at = time.monotonic() + self._beat_s
        self._timer: asyncio.TimerHandle | None = None
        self._written_at = time.monotonic()

    def wake(self) -> None:
        """There is something to write, or to look at: new words, an end, a stop that somebody asked for."""
        self._work.set()

    def release(self) -> None:
        """Let go of the attempt with the next append, so that another process begins the next one at once."""
        self._releasing = True
        self._work.set()

    @property
    def is_full(self) -> bool:
        """Whether so much is held back that the provider should wait."""
        return self._delivery.held_back > HELD_BACK_MAX_BYTES

    async def room(self) -> None:
        """Wait until not too much is held back."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    async def write(self) -> str:
        """Append until there is something to tell.

        Returns STOP when somebody asked for the end of a draft that has none yet: end it, and call again. Else how
        the attempt is over: the draft's own status, RELEASED, FENCED (it is another's now), GONE (somebody
        has removed the session), or LOST (Redis was away for as long as the session could live, or refused for a
        minute).
        """
        failures = 0
        while True:
            if not failures:
                await self._wait_for_work()
            try:
                reply, then = await self._append()
            except RedisError as error:
                refused = isinstance(error, ResponseError)
                if time.monotonic() - self._written_at > (REFUSED_MAX_S if refused else self._ttl_s):
                    return LOST
                if not failures:
                    logs.warning(_log, "append held back", session=self._attempt.session, cause=str(error))
                await asyncio.sleep(self._refused_s(failures) if refused else _AWAY_S)
                failures += 1
                continue
            failures, self._written_at = 0, time.monotonic()
            if isinstance(reply, Fenced):
                return FENCED
            if self._was_removed(reply):
                return GONE
            if isinstance(reply, Appended):
                self._epoch = self._log.epoch
                if then:
                    return await self._over(then)
                if reply.stop and not self._draft.status:
                    return STOP

    async def keep(self) -> None:
        """Hold the ended answer a while, beat as before, and at last make sure that the log still has its last entry.

        A Redis that comes back without its last second gets it again, the terminal entry included: before the lease
        that it still has is over, so that nobody takes the answer for lost.
        """
        until = time.monotonic() + KEEP_AFTER_END_S
        pause_s = min(self._beat_s, KEEP_AFTER_END_S)
        while time.monotonic() < until + KEEP_AWAY_S:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._log.broken()
            try:
                reply, then = await self._append()
            except RedisError as error:
                pause_s = self._beat_s / 2 if isinstance(error, ResponseError) else _AWAY_S
                continue
            # Fenced is well, too: the next generation has begun; but Redis may still lose both of them.
            well = isinstance(reply, Fenced) or (isinstance(reply, Appended) and bool(then))
            left_s = until - time.monotonic()
            if self._was_removed(reply) or (well and left_s <= 0):
                return
            if well:
                self._epoch = self._log.epoch
            pause_s = max(0.0, min(self._beat_s, left_s)) if well else 0.0

    def _was_removed(self, reply: Appended | Gap | Fenced) -> bool:
        """Whether somebody removed the log: on a connection that has not broken since, Redis did not lose it."""
        return isinstance(reply, Gap) and reply.last < 0 and self._epoch == self._log.epoch

    def _refused_s(self, failures: int) -> float:
        # Well within a lease: a Redis that comes back has leases that are over, and sweepers that wait for one only.
        return min(backoff_s(failures), self._beat_s / 2)

    async def _wait_for_work(self) -> None:
        if self._timer is None:
            # One for each beat, not for each append.
            self._timer = asyncio.get_running_loop().call_later(self._beat_at - time.monotonic(), self._beat)
        await self._work.wait()
        self._work.clear()

    def _beat(self) -> None:
        self._timer = None
        self._work.set()

    async def _append(self) -> tuple[Appended | Gap | Fenced, str]:
        """One round trip; with the reply, how the attempt was ended in it, if it was."""
        batch = self._delivery.batch()
        then = self._then() if batch.whole else ""
        await self._enter_running()
        metrics.APPENDS.value += 1
        metrics.APPENDED_ENTRIES.value += len(batch.entries)
        reply = await self._append_in_turn(batch, then)
        if isinstance(reply, Gap):
            logs.warning(_log, "filling a gap", session=self._attempt.session, after_seq=reply.last)
        self._delivery.replied(batch, reply)
        self._room.set()
        if self._delivery.behind:
            self._work.set()
        return reply, then

    async def _append_in_turn(self, batch: Batch, then: str) -> Appended | Gap | Fenced:
        """Append, after the writer of the generation before where Redis lost its end too; but not for ever."""
        insist_at = time.monotonic() + 1.5 * self._beat_s
        while True:
            insist = time.monotonic() > insist_at
            reply = await self._log.append(self._attempt, batch.first, batch.entries, then, insist=insist)
            if not isinstance(reply, Early):
                return reply
            await asyncio.sleep(_EARLY_S)

    def _then(self) -> str:
        if self._draft.status:
            return self._draft.status
        return "release" if self._releasing else ""

    async def _over(self, then: str) -> str:
        # A hint each: a sweeper finds what is not told of here, and takes out what stays behind.
        with contextlib.suppress(RedisError):
            if then == "release":
                await self._log.hand_over(self._attempt.session)
            else:
                await self._log.leave_running(self._attempt.session, self._score)
        return RELEASED if then == "release" else then

    async def _enter_running(self) -> None:
        now = time.monotonic()
        if now >= self._beat_at and not self._draft.status:
            self._beat_at = now + self._beat_s
            # At maxmemory Redis refuses this one alone, and the index is a hint.
            with contextlib.suppress(ResponseError):
                self._score = await self._log.enter_running(self._attempt.session)
