"""Where Redis is: a URL becomes a way to make raw connections, the library's own for TCP, TLS and Unix sockets."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from shared.wire import Connect, RedisAway

T = TypeVar("T")

TIMEOUT_S = 5.0
"""How long Redis may take to answer before a connection is given up and made again."""


def connector(url: str, name: str) -> Connect:
    """How to make connections to the Redis at `url`, which show as `name` in CLIENT LIST.

    Takes `redis://`, `rediss://` and `unix://`, with what redis-py's `from_url` takes in the query.
    Raises ValueError for any other URL, without repeating it: it may hold a password.
    """
    try:
        pool = ConnectionPool.from_url(
            url,
            # RESP3 would answer XREADGROUP with a dict.
            protocol=2,
            client_name=name,
            # The wire has its own deadline over many replies; a timer per reply would cost more than the reply.
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )
        # A bad option shows only when a connection is built.
        pool.make_connection()
    except (ValueError, TypeError):
        raise ValueError("redis://, rediss:// or unix://, as redis-py reads it") from None
    return lambda: cast(AbstractConnection, pool.make_connection())


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
