"""Breaking Redis: it dies, forgets, stands still, is full, or says another time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError

from shared import keys
from tests.chaos.breakages import Breakage
from tests.chaos.house import House

JUMP_S = 10
LATE_S = 0.7
_ANSWERS_WITHIN_S = 5.0

# What was released, or has ended, has no lease that a clock could change.
# A full Redis lets a script write that has begun with a DEL.
_MOVE_LEASE = """
redis.call('DEL', 'nobody-has-this-key')
local held = redis.call('HMGET', KEYS[1], 'status', 'leaseUntilMs')
if held[1] == 'running' and held[2] ~= '0' then redis.call('HINCRBY', KEYS[1], 'leaseUntilMs', ARGV[2]) end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then redis.call('ZINCRBY', KEYS[2], ARGV[2], ARGV[1]) end
"""


async def kill(house: House, breakage: Breakage) -> None:
    """kill -9; it comes back with all it has written."""
    async with house.redis_busy:
        await house.redis.kill()
        await asyncio.sleep(breakage.seconds)
        await house.redis.start()


async def lose_tail(house: House, breakage: Breakage) -> None:
    """kill -9; it comes back without what it has written last. Readers may find it later than the writers do."""
    late = house.consume if breakage.direction == "replies" else []
    async with house.redis_busy:
        mark = house.redis.mark()
        await asyncio.sleep(breakage.seconds)
        await house.redis.kill()
        house.redis.lose_after(mark)
        for place in late:
            place.wire.hold("requests")
        await house.redis.start()
    await asyncio.sleep(LATE_S if late else 0)
    for place in late:
        await place.wire.heal()


async def pause(house: House, breakage: Breakage) -> None:
    """SIGSTOP, and on."""
    async with house.redis_busy:
        house.redis.pause()
        try:
            await asyncio.sleep(breakage.seconds)
        finally:
            house.redis.go_on()


async def fill(house: House, breakage: Breakage) -> None:
    """Leave it next to no room, and then all again. One that is killed meanwhile comes back with room."""
    async with house.redis_busy:
        used = int((await house.client.info("memory"))["used_memory"])
        await house.client.config_set("maxmemory", used + breakage.count)
    try:
        await asyncio.sleep(breakage.seconds)
    finally:
        async with house.redis_busy:
            await house.client.config_set("maxmemory", 0)


def clock_set(ahead_s: int) -> Callable[[House, Breakage], Awaitable[None]]:
    """Somebody sets its clock, and sets it right again; every connection stands."""

    async def set_it(house: House, breakage: Breakage) -> None:
        await _set(house, ahead_s)
        try:
            await asyncio.sleep(breakage.seconds)
        finally:
            await _set(house, -ahead_s)

    return set_it


def failover(ahead_s: int) -> Callable[[House, Breakage], Awaitable[None]]:
    """Every connection breaks, and behind the new ones is a machine with all the data and another clock."""

    async def fail_over(house: House, _: Breakage) -> None:
        async with house.redis_busy:
            for place in house.places:
                await place.wire.refuse()
            await _move_leases(house, -ahead_s * 1000)
            for place in house.places:
                await place.wire.heal()

    return fail_over


async def _set(house: House, by_s: int) -> None:
    # No command sets the clock, so what it has written is moved the other way.
    async with house.redis_busy:
        for place in house.places:
            place.wire.ahead_s += by_s
        await _move_leases(house, -by_s * 1000)


async def _move_leases(house: House, by_ms: int) -> None:
    """Make every lease, and the index with it, what a clock that is so much behind takes it for."""
    for session in await house.client.zrange(keys.RUNNING, 0, -1):
        await house.client.eval(_MOVE_LEASE, 2, keys.meta(session), keys.RUNNING, session, by_ms)


async def flush_scripts(house: House, _: Breakage) -> None:
    """It forgets every script."""
    # A Redis that is away just then has lost its scripts anyway.
    with contextlib.suppress(RedisError):
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            await house.client.script_flush()
