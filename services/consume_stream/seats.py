"""The seats of viewers, of a session's and of an owner's, in all processes together: taken, renewed, left."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from services.consume_stream import metrics
from services.consume_stream.rota import Rota
from shared import keys, logs, quotas
from shared.http import ApiError
from shared.redis import backoff_s
from shared.wire import RedisAway, pack
from shared.wires import Wires

_log = logging.getLogger(__name__)

HELD_MS = 60_000
"""How long the seats of a process that died stay taken."""

_RENEWED_EVERY_S = 15.0
_RENEWED_AT_ONCE = 1000
"""A script takes no more arguments than some thousands."""

_GOODBYE_S = 1.0


class Limits(NamedTuple):
    """How many viewers a session and an owner may have; 0 for no limit."""

    session: int
    owner: int


class _Row(NamedTuple):
    """The seats that one viewer needs one of: where they are, how many, and what is said where none is free."""

    key: str
    most: int
    whose: str


class Seat:
    """One viewer's: a seat in each row that has a limit. It is asked for at once, to leave with what comes next."""

    def __init__(self, of: "Seats", rows: list[_Row]) -> None:
        self._of = of
        self._rows = rows
        self._member = of.name()
        self._asked: dict[str, asyncio.Future[Any]] = {}
        if rows:
            self._ask(rows[0])

    async def taken(self) -> None:
        """Wait until it is. Raises ApiError with 429 where none is free.

        While Redis is away, whether a viewer comes in is decided by what else it needs of Redis; it is seated later.
        """
        # One row after the other, always in this order: of two who ask in the same moment for a last seat, and each
        # find one of the other's, neither would get in.
        for row in self._rows:
            if row.key not in self._asked:
                self._ask(row)
            try:
                free = await self._asked[row.key]
            except RedisAway:
                free = True
            if not free:
                code = f"too_many_viewers_of_{row.whose}"
                metrics.REFUSED.labels(code).inc()
                raise ApiError(429, code, f"This {row.whose} has as many viewers as it may have.", retry=True)
            self._of.keep(row.key, self._member)

    def leave(self) -> None:
        """Never waits, so that a cancelled viewer can call it."""
        for key in self._asked:
            self._of.leave(key, self._member)

    def _ask(self, row: _Row) -> None:
        wire = self._of.wires.of(row.key)
        self._asked[row.key] = quotas.SEAT.send(wire, [row.key], (self._member, row.most, HELD_MS))


class Seats:
    """Those of this process's viewers, renewed while it lives."""

    def __init__(self, wires: Wires, instance: str, limits: Limits) -> None:
        self.wires = wires
        self._limits = limits
        self._names = (f"{instance}-{number}" for number in itertools.count(1))
        self._kept: dict[str, set[str]] = {}
        self._left: dict[str, set[str]] = {}
        self._leaving = asyncio.Event()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._renewals = Rota[str](_RENEWED_EVERY_S, self._renew)
        self._task = asyncio.create_task(self._leave_for_ever(), name="seats")

    def name(self) -> str:
        """Of a viewer, different from all others in all processes."""
        return next(self._names)

    @contextlib.contextmanager
    def seat(self, session: str, owner: str) -> Iterator[Seat]:
        """Ask for a viewer's seat, and leave it at the end of the block."""
        rows = []
        if self._limits.session:
            rows.append(_Row(_viewers("session", session), self._limits.session, "session"))
        if self._limits.owner and owner:
            rows.append(_Row(_viewers("owner", owner), self._limits.owner, "owner"))
        seat = Seat(self, rows)
        try:
            yield seat
        finally:
            seat.leave()

    def keep(self, key: str, member: str) -> None:
        """Renew a seat from now on."""
        if key not in self._kept:
            self._kept[key] = set()
            self._renewals.add(key)
        self._kept[key].add(member)

    def leave(self, key: str, member: str) -> None:
        """Give a seat back, soon and surely."""
        kept = self._kept.get(key, set())
        kept.discard(member)
        if not kept and self._kept.pop(key, None) is not None:
            self._renewals.remove(key)
        self._left.setdefault(key, set()).add(member)
        self._none_left.clear()
        self._leaving.set()

    async def close(self) -> None:
        """Wait a moment for those that are being left."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._none_left.wait()
        await self._renewals.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _renew(self, key: str) -> None:
        for members in _portions(self._kept[key]):
            quotas.RENEW.ask(self.wires.of(key), [key], (HELD_MS, *members), partial(_renewed, len(members)))

    async def _leave_for_ever(self) -> None:
        failures = 0
        while True:
            await self._leaving.wait()
            self._leaving.clear()
            left = [(key, members) for key, all_ in self._left.items() for members in _portions(all_)]
            self._left = {}
            asked = [self.wires.of(key).send(pack("ZREM", key, *members)) for key, members in left]
            replies = await asyncio.gather(*asked, return_exceptions=True)
            failed = [place for place, reply in zip(left, replies, strict=True) if isinstance(reply, RedisError)]
            for key, members in failed:
                self._left.setdefault(key, set()).update(members)
            failures = failures + 1 if failed else 0
            if failures:
                await asyncio.sleep(backoff_s(failures))
                self._leaving.set()
            elif not self._left:
                self._none_left.set()


def _viewers(kind: str, name: str) -> str:
    return keys.quota(keys.subject(kind, name), "viewers")


def _portions(members: set[str]) -> Iterator[tuple[str, ...]]:
    each = iter(members.copy())
    while portion := tuple(itertools.islice(each, _RENEWED_AT_ONCE)):
        yield portion


def _renewed(seats: int, reply: Any) -> None:
    if isinstance(reply, RedisError) and not isinstance(reply, RedisAway):
        logs.warning(_log, "seats of viewers were not renewed", seats=seats, cause=str(reply))
