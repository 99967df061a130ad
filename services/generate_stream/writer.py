"""The writer of one attempt: appends until there is something to tell, keeps the lease, and at last the answer."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from redis.exceptions import RedisError, ResponseError

from services.generate_stream.draft import Draft
from services.generate_stream.log import Appended, Fenced, Log
from services.generate_stream.pipeline import Pipeline
from shared import logs
from shared.redis import backoff_s

_log = logging.getLogger(__name__)

REFUSED_MAX_S = 60.0
"""How long a Redis that answers, but refuses every append, is asked again."""

KEEP_AFTER_END_S = 3.0
KEEP_AWAY_S = 60.0
"""How much longer, when Redis is away just then."""

_AWAY_S = 0.1
"""Between two tries while Redis is away. All writers of a process share each attempt to connect, so it costs little;
and what Redis has lost is missing for everybody until it is written again."""

STOP = "stop"
RELEASED = "released"
FENCED = "fenced"
LOST = "lost"
GONE = "gone"


class Writer:
    """Keeps the log in step with a draft, and the lease, until there is something to tell.

    It never gives up on Redis while the session could still be there: an append whose reply is lost is sent again
    (the ids make that harmless), and a gap is filled from the draft, which holds the whole attempt.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        session: str,
        draft: Draft,
        log: Log,
        lease_s: float,
        ttl_s: float,
        score: float,
        renew: Callable[[], None],
    ) -> None:
        self._pipeline = pipeline
        self._session = session
        self._draft = draft
        self._log = log
        self._beat_s = lease_s / 3
        self._ttl_s = ttl_s
        self._score = score
        self._renew = renew
        """Renews what else is held for as long as the answer runs."""
        self._entering: asyncio.Task[None] | None = None
        # A session that could not be entered before its generation began is entered now.
        self._beat_at = time.monotonic() + (self._beat_s if score else 0.0)
        self._timer: asyncio.TimerHandle | None = None
        self._written_at = time.monotonic()

    async def write(self) -> str:
        """Append until there is something to tell; beat meanwhile.

        Returns STOP when somebody asked for the end of a draft that has none yet: end it, and call again. Else how
        the attempt is over: the draft's own status, RELEASED, FENCED (it is another's now), GONE (somebody
        has removed the session), or LOST (Redis was away for as long as the session could live, or refused for a
        minute).
        """
        try:
            return await self._write()
        finally:
            # A later beat would enter a session that may be another's by then.
            if self._timer:
                self._timer.cancel()
                self._timer = None

    async def _write(self) -> str:
        failures = 0
        while True:
            if not failures:
                self._beat_in_time()
                await self._pipeline.due()
            try:
                reply, then = await self._pipeline.next()
            except RedisError as error:
                refused = isinstance(error, ResponseError)
                if time.monotonic() - self._written_at > (REFUSED_MAX_S if refused else self._ttl_s):
                    return LOST
                if not failures:
                    logs.warning(_log, "append held back", cause=str(error))
                await asyncio.sleep(self._refused_s(failures) if refused else _AWAY_S)
                failures += 1
                continue
            failures, self._written_at = 0, time.monotonic()
            if isinstance(reply, Fenced):
                return FENCED
            if self._pipeline.was_removed(reply):
                return GONE
            if isinstance(reply, Appended):
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
                    await self._log.broken(self._session)
            try:
                reply, then = await self._pipeline.next()
            except RedisError as error:
                pause_s = self._beat_s / 2 if isinstance(error, ResponseError) else _AWAY_S
                continue
            # Fenced is well, too: the next generation has begun; but Redis may still lose both of them.
            well = isinstance(reply, Fenced) or (isinstance(reply, Appended) and bool(then))
            left_s = until - time.monotonic()
            if self._pipeline.was_removed(reply) or (well and left_s <= 0):
                return
            pause_s = max(0.0, min(self._beat_s, left_s)) if well else 0.0

    def _refused_s(self, failures: int) -> float:
        # Well within a lease: a Redis that comes back has leases that are over, and sweepers that wait for one only.
        return min(backoff_s(failures), self._beat_s / 2)

    def _beat_in_time(self) -> None:
        if self._timer is None:
            # One for each beat, not for each append.
            self._timer = asyncio.get_running_loop().call_later(self._beat_at - time.monotonic(), self._beat)

    def _beat(self) -> None:
        self._timer, self._beat_at = None, time.monotonic() + self._beat_s
        if not self._draft.status:
            # Beside the appends: no word waits for it.
            self._entering = asyncio.create_task(self._enter_running())
            self._renew()
        self._pipeline.wake()

    async def _enter_running(self) -> None:
        # The index is a hint. At maxmemory Redis refuses this one alone.
        with contextlib.suppress(RedisError):
            self._score = await self._log.enter_running(self._session)

    async def _over(self, then: str) -> str:
        # A hint each: a sweeper finds what is not told of here, and takes out what stays behind.
        with contextlib.suppress(RedisError):
            if then == "release":
                await self._log.hand_over(self._session)
            # What is being entered just now may come after the next generation's own: that is for a sweeper to see.
            elif self._entering is None or self._entering.done():
                await self._log.leave_running(self._session, self._score)
        return RELEASED if then == "release" else then
