"""Group reads: one viewer's consumer group, and the two things that are done with it, resume and read."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from redis.exceptions import RedisError, ResponseError

from services.consume_stream import metrics
from services.consume_stream.access import Access
from services.consume_stream.batches import Batch, Batches
from services.consume_stream.groups import Groups, is_not_allowed
from services.consume_stream.resume import Verdict, judge
from shared import events, keys
from shared.position import Position
from shared.wire import pack
from shared.wires import Wires

_LEAST_COUNT = 16
"""Of entries in one read, and of the first: how large they are is not known yet."""

_BATCH_BYTES = 24 * 1024
"""About how much one read brings: so much holds live viewers up for a millisecond or two, while a replay passes.
Entries may have 16 KiB, and Redis holds every reply that nobody has taken yet."""

_REPLAYS_AT_ONCE = 16


@dataclass(frozen=True)
class Ways:
    """What the group reads of a process share."""

    live: Wires
    """For reads at the end of a log, which bring little and are waited for."""
    bulk: Wires
    """For replays and commands."""
    groups: Groups
    batches: Batches = field(default_factory=Batches)
    replays: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_REPLAYS_AT_ONCE))
    """How many replays may be on their way at a time."""


_NUDGE_WITHIN_S = 0.5
"""How much later than the entries that a recheck brought their nudge may come, and is not taken for lost."""


class Resumed(NamedTuple):
    """Whether to go on, and whether the entry at the position is terminal.

    A viewer without the right to the log is not allowed: its verdict is as if there were no log.
    """

    verdict: Verdict
    ended: bool
    allowed: bool


class GroupReads:
    """Owns one consumer group from the first resume until `close`."""

    def __init__(self, ways: Ways, session: str, batch_max: int, access: Access) -> None:
        self.drained = False
        """Whether the last read brought all there was."""
        self._ways = ways
        self._session = session
        self._log = keys.log(session)
        self._batch_max = batch_max
        self._access = access
        self._group = ""
        self._count = min(_LEAST_COUNT, batch_max)
        self._stands = False
        self._epoch = ("", 0)
        self._tail_count = self._count
        self._tail_command = b""
        self._nudged = True
        self._reading = False
        self._rechecking = False
        """Whether the clock asked for the latest read, and no nudge."""
        self._heard = False
        """Whether a nudge has come since the last recheck."""
        self._news: asyncio.Future[Batch | None] | None = None
        """What the viewer waits for at the end of the log."""

    @property
    def stands(self) -> bool:
        """Whether the group is where its viewer is. A new connection to Redis leaves that open."""
        return self._stands and self._epoch == self._ways.live.epoch(self._log)

    def close(self) -> None:
        """Give the group up; the next `resume` takes a new one. Never waits, so it runs whole in a cancelled viewer.

        Also after whatever failed or was cancelled: that may still come to pass, even after the next command, and must
        not move a group that is in use.
        """
        if self._group:
            self._ways.groups.destroy(self._session, self._group)
        self._group, self._stands = "", False

    async def resume(self, position: Position) -> Resumed:
        """Bring the group to a position, and judge whether to go on from there. Raises RedisError."""
        metrics.RESUMES.inc()
        ways, at = self._ways, str(position)
        bulk, self._epoch = ways.bulk.of(self._log), ways.live.epoch(self._log)
        if not self._group:
            self._group = ways.groups.new()
            self._tail_command = self._command(self._tail_count)
        found = bulk.send(pack("XRANGE", self._log, at, at, "COUNT", 1))
        last = bulk.send(pack("XREVRANGE", self._log, "+", "-", "COUNT", 1))
        try:
            refusal, here, end = await asyncio.gather(self._make(position), found, last)
        except (RedisError, asyncio.CancelledError):
            self.close()
            raise
        allowed = not (refusal and is_not_allowed(refusal))
        if not allowed:
            here, end = [], []
        if refusal and end:
            raise refusal  # there is a log, so the group should stand
        entries = [entry for entry in map(events.decode, here) if self._access.shows(entry.fields)]
        verdict = judge(position, events.decode(end[0]).id if end else None, found=bool(entries))
        self._stands, self.drained = verdict == "go", False
        if self._stands:
            ways.groups.sweep(self._session)
        return Resumed(verdict, bool(entries) and events.is_terminal(entries[0].fields), allowed)

    async def read(self) -> Batch | None:
        """The next entries; None at the end of the log. Raises RedisError: then `resume` before the next read."""
        metrics.READS.value += 1
        self._nudged = False
        try:
            async with self._ways.replays:
                reply = await self._ways.bulk.of(self._log).send(self._command(self._count))
        except (RedisError, asyncio.CancelledError):
            self.close()
            raise
        raw = reply[0][1] if reply else []
        self.drained = len(raw) < self._count
        if not raw:
            return None
        size = sum([len(b"".join(fields)) for _, fields in raw])
        self._count = min(self._batch_max, max(_LEAST_COUNT, _BATCH_BYTES * len(raw) // max(1, size)))
        return self._ways.batches.of(self._session, raw)

    async def tail(self) -> Batch | None:
        """Wait at the end of the log for what comes next; None when the group may no longer stand.

        Raises RedisError, as `read` does. The replay has become the tail: the same reads, asked for by nudges, on the
        wire of those who wait.
        """
        news: asyncio.Future[Batch | None] = asyncio.get_running_loop().create_future()
        self._news = news
        try:
            if self._nudged:
                self._ask()
            return await news
        except (RedisError, asyncio.CancelledError):
            self.close()
            raise
        finally:
            self._news = None

    def nudge(self) -> None:
        """There may be news. Reads at once when the viewer waits for it, so that the viewer wakes only for words."""
        self._nudged = self._heard = True
        if self._news is not None and not self._reading:
            self._ask()

    def recheck(self) -> None:
        """The same by the clock, in case that a nudge was lost."""
        self._nudged = True
        if self._news is not None and not self._reading:
            self._heard = False
            self._ask(rechecking=True)

    def _ask(self, *, rechecking: bool = False) -> None:
        if not self.stands:
            self._tell(None)
            return
        self._nudged, self._reading, self._rechecking = False, True, rechecking
        metrics.READS.value += 1
        self._ways.live.of(self._log).ask(self._tail_command, self._told)

    def _told(self, reply: Any) -> None:
        self._reading = False
        if isinstance(reply, RedisError):
            self._tell(reply)
        elif reply:
            raw = reply[0][1]
            if self._rechecking and not self._heard:
                asyncio.get_running_loop().call_later(_NUDGE_WITHIN_S, self._count_late_find)
            self.drained = len(raw) < self._tail_count
            self._tell(self._ways.batches.of(self._session, raw))
        elif self._nudged and self._news is not None:
            self._ask()

    def _count_late_find(self) -> None:
        if not self._heard:
            metrics.LATE_FINDS.inc()

    def _tell(self, news: Batch | RedisError | None) -> None:
        waiting, self._news = self._news, None
        if waiting is None or waiting.done():
            return  # the viewer has gone
        if isinstance(news, RedisError):
            waiting.set_exception(news)
        else:
            waiting.set_result(news)

    def _command(self, count: int) -> bytes:
        group = ("GROUP", self._group, "viewer", "COUNT", count, "NOACK")
        return pack("XREADGROUP", *group, "STREAMS", self._log, ">")

    async def _make(self, position: Position) -> ResponseError | None:
        try:
            await self._ways.groups.make(self._session, self._group, position, self._access.right)
        except ResponseError as refusal:
            return refusal
        return None
