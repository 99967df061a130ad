"""Consumer groups: one for each viewer, made at its position, destroyed with it; those of dead processes swept."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

import nanoid
from redis.exceptions import RedisError, ResponseError

from services.consume_stream import metrics
from shared import keys, logs
from shared.position import Position
from shared.redis import backoff_s
from shared.wire import Wire, pack

_log = logging.getLogger(__name__)

_ALIVE_S = 60
_BEAT_S = 15.0
_SWEEP_EVERY_S = 60.0
_GOODBYE_S = 1.0


class Groups:
    """The groups of this process, on the wire for commands: in the order of asking, so that a group whose making was
    cancelled half way is destroyed after it, not before.
    """

    def __init__(self, wire: Wire, instance: str) -> None:
        self._wire = wire
        self._instance = instance
        self._living: set[str] = set()
        self._doomed: dict[tuple[str, str], None] = {}
        self._doom = asyncio.Event()
        self._none_doomed = asyncio.Event()
        self._none_doomed.set()
        self._beaten_at = -float(_ALIVE_S)
        self._swept_at: dict[str, float] = {}
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._destroy())]
        self._sweeps: set[asyncio.Task[None]] = set()

    def new(self) -> str:
        """A name for a group that does not exist yet."""
        name = keys.group(self._instance, nanoid.generate())
        self._living.add(name)
        return name

    def make(self, session: str, group: str, position: Position) -> asyncio.Future[Any]:
        """Make a group at a position. Fails with BUSYGROUP where it stands already: then `move` it."""
        if time.monotonic() - self._beaten_at > _ALIVE_S / 2:
            # A sweeper elsewhere takes a group for dead whose process has no key.
            self._wire.send(self._sign_of_life()).add_done_callback(_ignore)
        return self._wire.send(pack("XGROUP", "CREATE", keys.log(session), group, str(position)))

    async def move(self, session: str, group: str, position: Position) -> None:
        """Put a standing group to a position."""
        await self._wire.call("XGROUP", "SETID", keys.log(session), group, str(position))

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
        self._swept_at = {name: at for name, at in self._swept_at.items() if now - at < _SWEEP_EVERY_S}
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
                await self._wire.call("DEL", keys.consumer(self._instance))
        for task in (*self._tasks, *self._sweeps):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._sweeps, return_exceptions=True)

    def _sign_of_life(self) -> bytes:
        return pack("SET", keys.consumer(self._instance), "1", "EX", _ALIVE_S)

    async def _beat(self) -> None:
        while True:
            with contextlib.suppress(RedisError):
                await self._wire.send(self._sign_of_life())
                self._beaten_at = time.monotonic()
            await asyncio.sleep(_BEAT_S)

    async def _destroy(self) -> None:
        failures = 0
        while True:
            await self._doom.wait()
            self._doom.clear()
            doomed = list(self._doomed)
            sent = [self._wire.send(pack("XGROUP", "DESTROY", keys.log(log), name)) for log, name in doomed]
            replies = await asyncio.gather(*sent, return_exceptions=True)
            for place, reply in zip(doomed, replies, strict=True):
                # Refused means that the log is gone, and the group with it.
                if isinstance(reply, int | ResponseError):
                    del self._doomed[place]
            left = [place for place in doomed if place in self._doomed]
            if not self._doomed:
                self._none_doomed.set()
            failures = failures + 1 if left else 0
            if failures:
                await asyncio.sleep(backoff_s(failures))
                self._doom.set()

    async def _sweep(self, session: str) -> None:
        with contextlib.suppress(RedisError):
            dead = await self._dead(await self._of(session))
            for group in dead:
                await self._wire.call("XGROUP", "DESTROY", keys.log(session), group)
            if dead:
                metrics.SWEPT.inc(len(dead))
                logs.info(_log, "swept the groups of dead processes", session=session, groups=len(dead))

    async def _of(self, session: str) -> list[str]:
        try:
            replies = await self._wire.call("XINFO", "GROUPS", keys.log(session))
        except ResponseError:
            return []  # no log
        return [_name(reply) for reply in replies]

    async def _dead(self, groups: Sequence[str]) -> set[str]:
        owners = {group: keys.instance_of(group) for group in groups}
        others = sorted({owner for owner in owners.values() if owner and owner != self._instance})
        alive = await asyncio.gather(*(self._wire.call("EXISTS", keys.consumer(owner)) for owner in others))
        gone = {owner for owner, exists in zip(others, alive, strict=True) if not exists}
        # One of our own that no viewer of ours has was made by a command that outlived its connection.
        lost = {group for group, owner in owners.items() if owner == self._instance and group not in self._living}
        return {group for group, owner in owners.items() if owner in gone} | lost


def _name(reply: Sequence[Any]) -> str:
    """The name in one row of XINFO GROUPS, whose fields and values alternate."""
    name: bytes = reply[list(reply).index(b"name") + 1]
    return name.decode("utf-8", "replace")


def _ignore(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
