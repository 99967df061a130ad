"""One Redis: all keys are in one place, whether its address is known or its Sentinels tell it."""

import asyncio
from collections.abc import Collection, Sequence
from typing import cast

from redis.asyncio import ConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.connection import AbstractConnection

_NODE = ""


class OneRedis:
    """Makes the connections of one of redis-py's pools. With Sentinels, each asks for the master when it connects."""

    publish = "PUBLISH"

    def __init__(self, pool: ConnectionPool, sentinels: Sequence[Client] = ()) -> None:
        self._pool = pool
        self._sentinels = sentinels

    def node(self, _: str) -> str:
        """The one there is."""
        return _NODE

    def nodes(self) -> Collection[str]:
        """The one there is."""
        return (_NODE,)

    def connect(self, _: str) -> AbstractConnection:
        """A raw connection, not connected yet."""
        return cast(AbstractConnection, self._pool.make_connection())

    def moved(self, slot: int, node: str) -> None:
        """Only a cluster says so."""

    def doubt(self) -> None:
        """Every new connection looks anew."""

    async def changed(self) -> None:
        """Never."""
        await asyncio.Event().wait()

    async def open(self) -> None:
        """Nothing to look for."""

    async def close(self) -> None:
        """Ask the Sentinels no more."""
        for sentinel in self._sentinels:
            await sentinel.aclose()
