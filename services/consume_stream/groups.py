"""Consumer groups: one for each viewer, made at its position, destroyed with it; those of dead processes swept."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import nanoid
from redis.exceptions import RedisError, ResponseError

from services.consume_stream import metrics
from shared import keys, logs
from shared.access.identity import Right
from shared.position import Position
from shared.redis import backoff_s, is_full
from shared.wires import Wires

T = TypeVar("T")

_log = logging.getLogger(__name__)

_ALIVE_S = 60
_BEAT_S = 15.0
_SWEEP_EVERY_S = 60.0
_GOODBYE_S = 1.0
_DURABLE_AFTER_S = 3.0
"""With an append-only file that is synced every second, Redis forgets no more than about two."""

# Redis 6.2 refuses every XGROUP at maxmemory, 7 refuses CREATE; in a script that has already written, neither does.
# To read for a group that is not there counts as a write, and needs no right to change an entry.
_WRITE = "redis.pcall('XREADGROUP', 'GROUP', '-', '-', 'NOACK', 'STREAMS', KEYS[1], '>')"

_XGROUP_WHEN_FULL = f"""
{_WRITE}
return redis.call('XGROUP', ARGV[1], KEYS[1], unpack(ARGV, 2))
"""

# Who has no right learns nothing, and leaves no trace on the log: the look and the group are one step.
_XGROUP_BY_RIGHT = f"""
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return redis.error_reply('NORIGHT') end
{_WRITE}
return redis.pcall('XGROUP', ARGV[3], KEYS[1], unpack(ARGV, 4))
"""

# Redis takes an EXPIRE at maxmemory, and what follows it in a script. No SET: whoever may SET may replace a log.
_LIFE = """
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('INCRBY', KEYS[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


def is_not_allowed(refusal: ResponseError) -> bool:
    """Whether a group was refused because its viewer has no right to the log."""
    return str(refusal).startswith("NORIGHT")


class Groups:
    """The groups of this process, on the wires for commands: in the order of asking, so that a group whose making was
    cancelled half way is destroyed after it, not before.
    """

    def __init__(self, wires: Wires, instance: str) -> None:
        self._wires = wires
        self._instance = instance
        self._living: set[str] = set()
        self._doomed: dict[tuple[str, str], None] = {}
        self._destroyed: dict[tuple[str, str], float] = {}
        """Those that a Redis that lost its last second may have again, and when they were destroyed."""
        self._breaks = 0
        self._doom = asyncio.Event()
        self._none_doomed = asyncio.Event()
        self._none_doomed.set()
        self._beaten_at = -float(_ALIVE_S)
        self._swept_at: dict[str, float] = {}
        self._tasks = [asyncio.create_task(task()) for task in (self._beat, self._destroy, self._watch)]
        self._sweeps: set[asyncio.Task[None]] = set()

    def new(self) -> str:
        """A name for a group that does not exist yet; whoever takes it calls `destroy`."""
        name = keys.group(self._instance, nanoid.generate())
        self._living.add(name)
        return name

    async def make(self, session: str, group: str, position: Position, right: Right) -> None:
        """Make a group at a position, or move it there. Raises ResponseError where there is no log, or no right."""
        if time.monotonic() - self._beaten_at > _ALIVE_S / 2:
            # A sweeper elsewhere takes a group for dead whose process has no key.
            await self._show_life()
        try:
            await self._xgroup("CREATE", session, right, group, str(position))
        except ResponseError as refusal:
            if not str(refusal).startswith("BUSYGROUP"):
                raise
            await self._xgroup("SETID", session, right, group, str(position))

    def destroy(self, session: str, group: str) -> None:
        """Destroy a group, soon and surely; never waits, so that a cancelled viewer can call it."""
        self._living.discard(group)
        self._doomed[(session, group)] = None
        self._none_doomed.clear()
        self._doom.set()

    def sweep(self, session: str) -> None:
        """Look for groups of dead processes on this log, unless that was done within the last minute."""
        now = time.monotonic()
        if now - self._swept_at.get(session, -_SWEEP_EVERY_S) < _SWEEP_EVERY_S:
            return
        self._swept_at[session] = now
        task = asyncio.create_task(self._sweep(session))
        self._sweeps.add(task)
        task.add_done_callback(self._sweeps.discard)

    async def living(self, session: str) -> int:
        """How many viewers a log has now, in all processes."""
        groups = await self._of(session)
        dead = await self._dead(groups)
        return sum(1 for group in groups if keys.instance_of(group) and group not in dead)

    async def close(self) -> None:
        """Wait a moment for what is still to be destroyed, and say goodbye."""
        with contextlib.suppress(TimeoutError, RedisError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._none_doomed.wait()
                # Its time is over now: so this process needs no DEL, which would do for a log as well.
                await self._wires.of(key := keys.consumer(self._instance)).call("EXPIRE", key, 0)
        for task in (*self._tasks, *self._sweeps):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._sweeps, return_exceptions=True)

    async def _xgroup(self, what: str, session: str, right: Right, *rest: str) -> Any:
        log = keys.log(session)
        wire = self._wires.of(log)
        if right.field:
            where = (2, log, keys.meta(session))
            return await wire.call("EVAL", _XGROUP_BY_RIGHT, *where, right.field, right.value, what, *rest)
        try:
            return await wire.call("XGROUP", what, log, *rest)
        except ResponseError as refusal:
            if not is_full(refusal):
                raise
            return await wire.call("EVAL", _XGROUP_WHEN_FULL, 1, log, what, *rest)

    async def _show_life(self) -> None:
        key = keys.consumer(self._instance)
        wire = self._wires.of(key)
        if not await wire.call("EXPIRE", key, _ALIVE_S):
            await wire.call("EVAL", _LIFE, 1, key, _ALIVE_S)
        self._beaten_at = time.monotonic()

    async def _beat(self) -> None:
        while True:
            with contextlib.suppress(RedisError):
                await self._show_life()
            self._swept_at = _since(_SWEEP_EVERY_S, self._swept_at)
            self._destroyed = _since(_DURABLE_AFTER_S, self._destroyed)
            await asyncio.sleep(_BEAT_S)

    async def _watch(self) -> None:
        while True:
            await self._wires.broken()
            self._breaks += 1
            # The next connection may be to a Redis that lost its last second: it has groups again that were destroyed.
            self._swept_at.clear()
            for session, group in _since(_DURABLE_AFTER_S, self._destroyed):
                self.destroy(session, group)

    async def _destroy(self) -> None:
        failures = 0
        while True:
            await self._doom.wait()
            self._doom.clear()
            doomed, breaks = list(self._doomed), self._breaks
            replies = await asyncio.gather(*(self._is_gone(session, group) for session, group in doomed))
            # What was answered just before a break may be lost with it.
            gone = [reply and breaks == self._breaks for reply in replies]
            for place, destroyed in zip(doomed, gone, strict=True):
                if destroyed:
                    del self._doomed[place]
                    self._destroyed[place] = time.monotonic()
            if not self._doomed:
                self._none_doomed.set()
            failures = 0 if all(gone) else failures + 1
            if failures:
                await asyncio.sleep(backoff_s(failures))
                self._doom.set()

    async def _is_gone(self, session: str, group: str) -> bool:
        try:
            await self._xgroup("DESTROY", session, Right(), group)
        except ResponseError as refusal:
            return "key to exist" in str(refusal)  # the log went, and its groups with it
        except RedisError:
            return False
        return True

    async def _sweep(self, session: str) -> None:
        with contextlib.suppress(RedisError):
            dead = await self._dead(await self._of(session))
            for group in dead:
                await self._xgroup("DESTROY", session, Right(), group)
            if dead:
                metrics.SWEPT.inc(len(dead))
                logs.info(_log, "swept the groups of dead processes", session=session, groups=len(dead))

    async def _of(self, session: str) -> list[str]:
        try:
            replies = await self._wires.of(log := keys.log(session)).call("XINFO", "GROUPS", log)
        except ResponseError:
            return []  # no log
        return [_name(reply) for reply in replies]

    async def _dead(self, groups: Sequence[str]) -> set[str]:
        owners = {group: keys.instance_of(group) for group in groups}
        others = sorted({owner for owner in owners.values() if owner and owner != self._instance})
        signs = [keys.consumer(owner) for owner in others]
        alive = await asyncio.gather(*(self._wires.of(sign).call("EXISTS", sign) for sign in signs))
        gone = {owner for owner, exists in zip(others, alive, strict=True) if not exists}
        # One of our own that no viewer of ours has was made by a command that outlived its connection.
        lost = {group for group, owner in owners.items() if owner == self._instance and group not in self._living}
        return {group for group, owner in owners.items() if owner in gone} | lost


def _since(seconds: float, times: Mapping[T, float]) -> dict[T, float]:
    """Those whose time is no longer ago."""
    now = time.monotonic()
    return {what: at for what, at in times.items() if now - at < seconds}


def _name(reply: Sequence[Any]) -> str:
    """The name in one row of XINFO GROUPS, whose fields and values alternate."""
    name: bytes = reply[list(reply).index(b"name") + 1]
    return name.decode("utf-8", "replace")
