"""Group reads: one viewer's consumer group, and the two things that are done with it, resume and read."""

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.exceptions import RedisError, ResponseError

from services.consume_stream import metrics
from services.consume_stream.groups import Groups
from services.consume_stream.resume import Verdict, judge
from shared import events, keys
from shared.events import Entry
from shared.position import Position
from shared.wire import Wire, pack

_LEAST_COUNT = 16
"""Of entries in one read, and of the first: how large they are is not known yet."""

_BATCH_BYTES = 256 * 1024
"""About how much one read brings. Entries may have 16 KiB, and Redis holds every reply that nobody has taken yet."""

_REPLAYS_AT_ONCE = 16


@dataclass(frozen=True)
class Wires:
    """What the group reads of a process share."""

    live: Wire
    """For reads at the end of a log, which bring little and are waited for."""
    bulk: Wire
    """For replays and commands."""
    groups: Groups
    replays: asyncio.Semaphore
    """How many replays may be on their way at a time."""

    @classmethod
    def on(cls, live: Wire, bulk: Wire, groups: Groups) -> "Wires":
        """These wires, with the usual bound."""
        return cls(live, bulk, groups, asyncio.Semaphore(_REPLAYS_AT_ONCE))


class Resumed(NamedTuple):
    """Whether to go on, and whether the entry at the position is terminal."""

    verdict: Verdict
    ended: bool


class GroupReads:
    """Owns one consumer group from the first resume until `close`."""

    def __init__(self, wires: Wires, session: str, batch_max: int) -> None:
        self.drained = False
        """Whether the last read brought all there was."""
        self._wires = wires
        self._session = session
        self._log = keys.log(session)
        self._batch_max = batch_max
        self._group = ""
        self._count = min(_LEAST_COUNT, batch_max)
        self._stands = False
        self._epoch = 0

    @property
    def stands(self) -> bool:
        """Whether the group is where its viewer is. A new connection to Redis leaves that open."""
        return self._stands and self._epoch == self._wires.live.epoch

    def close(self) -> None:
        """Give the group up. Never waits, so that it runs whole when the viewer is cancelled."""
        if self._group:
            self._wires.groups.destroy(self._session, self._group)

    async def resume(self, position: Position) -> Resumed:
        """Bring the group to a position, and judge whether to go on from there. Raises RedisError."""
        metrics.RESUMES.inc()
        wires, at = self._wires, str(position)
        self._epoch = wires.live.epoch
        self._group = self._group or wires.groups.new()
        found = wires.bulk.send(pack("XRANGE", self._log, at, at, "COUNT", 1))
        last = wires.bulk.send(pack("XREVRANGE", self._log, "+", "-", "COUNT", 1))
        refusal, here, end = await asyncio.gather(self._make(position), found, last)
        if refusal and end:
            raise refusal  # there is a log, so the group should stand
        entries = [events.decode(raw) for raw in here]
        verdict = judge(position, events.decode(end[0]).id if end else None, found=bool(entries))
        self._stands, self.drained = verdict == "go", False
        if self._stands:
            wires.groups.sweep(self._session)
        return Resumed(verdict, bool(entries) and events.is_terminal(entries[0].fields))

    async def read(self) -> list[Entry]:
        """The next entries, none at the end of the log. Raises RedisError: then `resume` before the next read."""
        try:
            raw = await self._read()
        except (RedisError, asyncio.CancelledError):
            # The read may still come to pass, even after the next command: it must not move a group that is in use.
            self._stands = False
            self._wires.groups.destroy(self._session, self._group)
            self._group = ""
            raise
        self.drained = len(raw) < self._count
        if raw:
            size = sum(len(part) for _, fields in raw for part in fields)
            self._count = min(self._batch_max, max(_LEAST_COUNT, _BATCH_BYTES * len(raw) // max(1, size)))
        return [events.decode(entry) for entry in raw]

    async def _make(self, position: Position) -> ResponseError | None:
        try:
            await self._wires.groups.make(self._session, self._group, position)
        except ResponseError as refusal:
            return refusal
        return None

    async def _read(self) -> list[Any]:
        metrics.READS.inc()
        group = ("GROUP", self._group, "viewer", "COUNT", self._count, "NOACK")
        command = pack("XREADGROUP", *group, "STREAMS", self._log, ">")
        if self.drained:
            # At the end of the log the replay becomes the tail: the same read, on the wire of those who wait.
            reply = await self._wires.live.send(command)
        else:
            async with self._wires.replays:
                reply = await self._wires.bulk.send(command)
        return reply[0][1] if reply else []
