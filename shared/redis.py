"""Redis as both services see it: one address, Sentinels that know it, or a cluster; and what its refusals mean."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol, TypeVar

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from shared.wire import RedisAway

T = TypeVar("T")

TIMEOUT_S = 5.0
"""How long Redis may take to answer before a connection is given up and made again."""


class Redis(Protocol):
    """Which of Redis' nodes has a key, and how to connect to it. A Redis that is not a cluster is one node."""

    @property
    def publish(self) -> str:
        """How a nudge is sent: PUBLISH, or SPUBLISH where it stays on the node of its log."""

    def node(self, key: str) -> str:
        """The node that should have a key."""

    def nodes(self) -> Collection[str]:
        """All that have keys."""

    def connect(self, node: str) -> AbstractConnection:
        """A raw connection to a node, not connected yet."""

    def moved(self, slot: int, node: str) -> None:
        """A node said that another one has this slot now."""

    def doubt(self) -> None:
        """Something may have changed: look soon."""

    async def changed(self) -> None:
        """Wait until a key may have another node than before."""

    async def open(self) -> None:
        """Look for the first time; a Redis that is away is found later."""

    async def close(self) -> None:
        """Look no more."""


async def retried(call: Callable[[], Awaitable[T]], tries: int = 3) -> T:
    """Call something that may safely run twice, again when its reply was lost. Raises RedisAway after the last try."""
    for failures in range(tries - 1):
        try:
            return await call()
        except RedisAway:
            await asyncio.sleep(backoff_s(failures))
    return await call()


def is_full(refusal: ResponseError) -> bool:
    """Whether Redis refused a command because it is at `maxmemory`.

    Read from its own words: a script's error carries them inside a longer text on 6.2, and the code word before them,
    OOM, the library takes off where it comes first.
    """
    return "command not allowed when used memory" in str(refusal)


def backoff_s(failures: int) -> float:
    """How long to wait before trying again after so many failures in a row: 50 ms, doubling, at most 1 s."""
    return min(1.0, 0.05 * math.pow(2, min(failures, 10)))
