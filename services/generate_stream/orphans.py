"""Orphans: answers of this process that nobody watches are ended, where that is wanted, and no longer paid for."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.exceptions import RedisError, ResponseError

from services.generate_stream.generation import Generation
from services.generate_stream.producer import Producer
from shared import keys, logs
from shared.wire import pack
from shared.wires import Wires

_log = logging.getLogger(__name__)

_LOOKS_PER_GRACE = 4
_LEAST_S = 1.0
"""Between two looks."""


class _Unwatched(NamedTuple):
    """Since when nobody has watched, and on which connection that was seen first."""

    since: float
    epoch: tuple[str, int]


class Orphans:
    """Looks now and then who watches what runs here: a group of a consume process that lives is a viewer.

    Redis may come back without groups whose viewers still stand: so on a new connection, and after a look that failed,
    the time starts again.
    """

    def __init__(self, producer: Producer, wires: Wires, grace_s: float) -> None:
        self._producer = producer
        self._wires = wires
        self._grace_s = grace_s
        self._unwatched: dict[Generation, _Unwatched] = {}
        self._task = asyncio.create_task(self._look_for_ever(), name="orphans") if grace_s else None

    async def close(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(max(_LEAST_S, self._grace_s / _LOOKS_PER_GRACE))
            try:
                await self._look()
            except RedisError as error:
                logs.warning(_log, "can't look who watches", cause=str(error))
                self._unwatched.clear()

    async def _look(self) -> None:
        running = self._producer.generations
        watched = await self._watched([one for one in running if not one.is_awaited])
        before, self._unwatched = self._unwatched, {}
        now = time.monotonic()
        for one in running:
            if one in watched or one.is_awaited or one.over.done():
                continue
            epoch = self._wires.epoch(keys.log(one.attempt.session))
            seen = before.get(one)
            if seen is None or seen.epoch != epoch:
                seen = _Unwatched(now, epoch)
            self._unwatched[one] = seen
            if now - seen.since >= self._grace_s:
                where = {"session": one.attempt.session, "generation": one.attempt.generation}
                logs.info(_log, "nobody watches", **where, seconds=round(now - seen.since, 1))
                one.orphaned()

    async def _watched(self, generations: Sequence[Generation]) -> set[Generation]:
        """Those that have a living viewer, or of which Redis does not say. Raises RedisError."""
        replies = await self._groups(generations)
        instances = [_instances(reply) for reply in replies]
        each = sorted(set().union(*instances))
        signs = [keys.consumer(instance) for instance in each]
        # All of them leave in one write.
        alive = await asyncio.gather(*(self._wires.of(sign).send(pack("EXISTS", sign)) for sign in signs))
        living = {instance for instance, exists in zip(each, alive, strict=True) if exists}
        seen = {one for one, found in zip(generations, instances, strict=True) if found & living}
        return seen | {one for one, reply in zip(generations, replies, strict=True) if isinstance(reply, ResponseError)}

    async def _groups(self, generations: Sequence[Generation]) -> list[Any]:
        named = [keys.log(one.attempt.session) for one in generations]
        asked = [self._wires.of(log).send(pack("XINFO", "GROUPS", log)) for log in named]
        replies = await asyncio.gather(*asked, return_exceptions=True)
        for reply in replies:
            # Refused is what has no log any more, of which its writer will hear, or what we may not ask.
            if isinstance(reply, BaseException) and not isinstance(reply, ResponseError):
                raise reply
        return replies


def _instances(reply: Any) -> set[str]:
    """The consume processes that have a group here, of the rows of XINFO GROUPS, whose fields and values alternate."""
    if isinstance(reply, ResponseError):
        return set()
    names = [row[list(row).index(b"name") + 1].decode("utf-8", "replace") for row in reply]
    return {instance for name in names if (instance := keys.instance_of(name))}
