"""The pipeline of one attempt: its appends, in order; one at a time where Redis is near, more where it is far."""

import asyncio
import logging
import time
from collections import deque
from typing import NamedTuple

from redis.exceptions import RedisError

from services.generate_stream import metrics
from services.generate_stream.attempt import Attempt
from services.generate_stream.delivery import Batch, Delivery
from services.generate_stream.draft import Draft
from services.generate_stream.log import Appended, Early, Fenced, Gap, Log
from shared import logs

_log = logging.getLogger(__name__)

HELD_BACK_MAX_BYTES = 256 * 1024
"""Words that the log is not known to have; past this the provider is not read."""

_EARLY_S = 0.05

_INSIST_LEASES = 0.5
"""How long, in leases, the writer of the generation before may take to come first: its own lease is not over yet, and
neither is this one's."""

_NEAR_S = 0.02
"""How long words wait for the reply to the append before them. A Redis that is near has replied by then, and what has
gathered leaves as one; behind a round trip of 50 ms every second word would be some 30 ms older without this."""

_LATE_S = 0.01
"""A timer that is so late tells of a slow process, not of a slow Redis: the reply may lie there, unread."""

_AHEAD_MAX = 8
"""Appends on their way besides the first: enough for a round trip of 160 ms; a slower one gathers more in each."""

Reply = Appended | Gap | Fenced


class Sent(NamedTuple):
    """An append that is over: what it brought, how it was to end the attempt, and what came of it."""

    batch: Batch
    then: str
    epoch: tuple[str, int]
    """Of the connection on which it left, or of one before."""
    reply: Reply | RedisError


class Pipeline:
    """Brings a draft into the log. Each append says what the one before it is to have brought, so that one which got
    lost makes gaps of all behind it, and nothing is ever written past a hole.
    """

    def __init__(self, attempt: Attempt, draft: Draft, log: Log, lease_s: float) -> None:
        self._attempt = attempt
        self._draft = draft
        self._log = log
        self._insist_s = _INSIST_LEASES * lease_s
        self._delivery = Delivery(draft)
        self._releasing = False
        self._work = asyncio.Event()
        """Whether there is something to say since the last append left."""
        self._room = asyncio.Event()
        self._out = 0
        self._ahead: deque[asyncio.Task[Sent]] = deque()
        """What has left without waiting for the one before it, the oldest first."""
        self._well = True
        """Whether the last reply was as it should be: only then does anything leave ahead."""
        self._epoch = ("", -1)
        """The connection on which the log was last known to be there."""
        self._ends = False
        """Whether the last append that left ends the attempt: nothing leaves behind it."""
        self._sent_at = 0.0
        self._looks = False
        """Whether a timer is set that looks after what has gathered."""

    def wake(self) -> None:
        """There is something to write, or to look at: new words, an end, a stop that somebody asked for."""
        self._work.set()
        if self._out and not self._looks and len(self._ahead) < _AHEAD_MAX:
            self._look_at(max(self._sent_at + _NEAR_S, asyncio.get_running_loop().time()))

    def release(self) -> None:
        """Let go of the attempt with the next append, so that another process begins the next one at once."""
        self._releasing = True
        self.wake()

    @property
    def is_full(self) -> bool:
        """Whether so much is held back that the provider should wait."""
        return self._delivery.held_back > HELD_BACK_MAX_BYTES

    async def room(self) -> None:
        """Wait until not too much is held back."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    async def due(self) -> None:
        """Wait until there is something to append, or a reply to hear."""
        if not self._ahead:
            await self._work.wait()

    async def next(self) -> tuple[Reply, str]:
        """The reply to the oldest append that is on its way, else to a new one: of all that there is to say, or of
        nothing, which is the heartbeat. With it, how the attempt was ended in it, if it was. Raises RedisError.
        """
        batch, then, epoch, reply = await (self._ahead.popleft() if self._ahead else self._send())
        self._well = isinstance(reply, Appended)
        if isinstance(reply, Gap):
            logs.warning(_log, "filling a gap", after_seq=reply.last)
        if not self._well:
            # What left after it can't have come to pass, or will be found to have when it is sent again.
            await self._all_back()
        if isinstance(reply, RedisError):
            self._delivery.rewind()
            raise reply
        if not isinstance(reply, Gap):
            self._epoch = epoch
        self._delivery.replied(batch, reply)
        self._room.set()
        if self._delivery.behind or self._work.is_set():
            self.wake()
        return reply, then

    def was_removed(self, reply: Reply) -> bool:
        """Whether somebody removed the log: on a connection that has not broken since, Redis did not lose it."""
        return isinstance(reply, Gap) and reply.last < 0 and self._epoch == self._log.epoch(self._attempt.session)

    async def _all_back(self) -> None:
        while self._ahead:
            await self._ahead.popleft()

    async def _send(self) -> Sent:
        self._work.clear()
        sent_at = self._sent_at = asyncio.get_running_loop().time()
        batch = self._delivery.batch()
        then = self._then() if batch.whole else ""
        self._ends = bool(then)
        metrics.APPENDS.value += 1
        if batch.entries:
            metrics.APPENDED_ENTRIES.value += len(batch.entries)
            metrics.APPEND_ENTRIES.observe(len(batch.entries))
        self._out += 1
        epoch = self._log.epoch(self._attempt.session)
        try:
            reply = await self._append_in_turn(batch, then)
            metrics.APPEND_SECONDS.observe(asyncio.get_running_loop().time() - sent_at)
            return Sent(batch, then, epoch, reply)
        except RedisError as error:
            return Sent(batch, then, epoch, error)
        finally:
            self._out -= 1

    async def _append_in_turn(self, batch: Batch, then: str) -> Reply:
        """Append, after the writer of the generation before where Redis lost its end too; but not for ever."""
        insist_at = time.monotonic() + self._insist_s
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

    def _look_at(self, when: float) -> None:
        self._looks = True
        asyncio.get_running_loop().call_at(when, self._look, when)

    def _look(self, when: float) -> None:
        """Send what there is to say without waiting any longer; later, if an append has left since."""
        now, due = asyncio.get_running_loop().time(), self._sent_at + _NEAR_S
        late, self._looks = now - when > _LATE_S, False
        if not (self._out and self._well and self._work.is_set()) or self._ends:
            return
        if late or now < due:
            self._look_at(max(due, now + _LATE_S) if late else due)
        else:
            self._ahead.append(asyncio.create_task(self._send()))
