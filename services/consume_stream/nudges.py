"""Nudges: who reads which log, woken by Pub/Sub at once and, should a nudge be lost, by the clock."""

import asyncio
from functools import partial
from typing import NamedTuple

from services.consume_stream.rota import Rota
from shared import keys
from shared.channels import Channels, Heard
from shared.redis import Redis
from shared.wire import RedisAway


class _Place(NamedTuple):
    """Where a log's nudges are published: a node, and how."""

    node: str
    sharded: bool


RECHECK = b"recheck"
"""What a wake by the clock says; one by a nudge is empty."""


class Nudges:
    """Wakes viewers. A wake says "read again" and nothing more. Each viewer is also woken once in `recheck_s`.

    One connection to each node on which a log lies that is read here; a single Redis is one node.
    """

    def __init__(self, redis: Redis, timeout_s: float, recheck_s: float) -> None:
        self._redis = redis
        self._timeout_s = timeout_s
        self._channels: dict[_Place, Channels] = {}
        self._listening: dict[Heard, tuple[str, _Place]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._rota: Rota[Heard] = Rota(recheck_s, lambda wake: wake(RECHECK))
        self._following = asyncio.create_task(self._follow(), name="nudges follow their logs")

    async def listen(self, session: str, wake: Heard) -> None:
        """Wake by each nudge of this session from now on; once more, where its log may have gone to another node.

        Raises RedisAway; then nothing is left behind.
        """
        if self._hears(session, wake):
            return
        self.unlisten(session, wake)
        place = self._place(session)
        try:
            await self._at(place).listen(keys.log(session), wake)
        except RedisAway:
            self._leave_what_has_gone()
            # Another node may have the log; where nothing else of it is asked for, nobody else would notice.
            self._redis.doubt()
            raise
        self._listening[wake] = session, place
        self._rota.add(wake)

    def unlisten(self, session: str, wake: Heard) -> None:
        """Wake no more."""
        _, place = self._listening.pop(wake, (session, None))
        if place is None:
            return
        self._channels[place].unlisten(keys.log(session), wake)
        self._rota.remove(wake)
        self._leave_what_has_gone()

    async def close(self) -> None:
        """Stop the clock, and drop the connections."""
        self._following.cancel()
        await self._rota.close()
        for channels in self._channels.values():
            self._close(channels)
        await asyncio.gather(self._following, *self._closing, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await self._redis.changed()
            for wake, (session, _) in list(self._listening.items()):
                if not self._hears(session, wake):
                    wake(b"")
            self._leave_what_has_gone()

    def _hears(self, session: str, wake: Heard) -> bool:
        """Whether its nudges come: it listens, and the log has not gone to another node."""
        return self._listening.get(wake) == (session, self._place(session))

    def _place(self, session: str) -> _Place:
        return _Place(self._redis.node(keys.log(session)), self._redis.publish == "SPUBLISH")

    def _at(self, place: _Place) -> Channels:
        channels = self._channels.get(place)
        if channels is None:
            connect = partial(self._redis.connect, place.node)
            channels = self._channels[place] = Channels(connect, self._timeout_s, sharded=place.sharded)
        return channels

    def _leave_what_has_gone(self) -> None:
        """A node that has gone for good must not be called for ever."""
        nodes = self._redis.nodes()
        for place in [place for place, channels in self._channels.items() if channels.idle and place.node not in nodes]:
            self._close(self._channels.pop(place))

    def _close(self, channels: Channels) -> None:
        task = asyncio.create_task(channels.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
