"""Breaking: each kind of fault, done to a running house and healed again."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

from redis.exceptions import RedisError

from tests.chaos.breakages import Breakage, Kind
from tests.chaos.house import House, Place
from tests.chaos.process_wire import ProcessWire

Break = Callable[[House, Breakage], Awaitable[None]]


async def do(house: House, breakage: Breakage) -> None:
    """Break, and heal."""
    await _WAYS[breakage.kind](house, breakage)


def _one(places: list[Place], breakage: Breakage) -> Place:
    return places[int(breakage.place * len(places))]


async def _kill(places: list[Place], breakage: Breakage) -> None:
    place = _one(places, breakage)
    async with place.busy:
        await place.kill()


async def _replace(places: list[Place], breakage: Breakage) -> None:
    place = _one(places, breakage)
    async with place.busy:
        await place.replace()


async def _pause(places: list[Place], breakage: Breakage) -> None:
    place = _one(places, breakage)
    async with place.busy:
        place.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(breakage.seconds)
        finally:
            place.signal(signal.SIGCONT)


async def _redis_kill(house: House, breakage: Breakage) -> None:
    async with house.redis_busy:
        await house.redis.kill()
        await asyncio.sleep(breakage.seconds)
        await house.redis.start()


async def _redis_loses_its_tail(house: House, breakage: Breakage) -> None:
    async with house.redis_busy:
        mark = house.redis.mark()
        await asyncio.sleep(breakage.seconds)
        await house.redis.kill()
        house.redis.lose_after(mark)
        await house.redis.start()


async def _redis_pause(house: House, breakage: Breakage) -> None:
    async with house.redis_busy:
        house.redis.pause()
        try:
            await asyncio.sleep(breakage.seconds)
        finally:
            house.redis.go_on()


@contextlib.asynccontextmanager
async def _wire(house: House, breakage: Breakage) -> AsyncIterator[ProcessWire]:
    """A wire for as long as its fault lasts, healed after it."""
    wire = _one(house.places, breakage).wire
    try:
        yield wire
        await asyncio.sleep(breakage.seconds)
    finally:
        wire.nudges_lost = False
        await wire.heal()


async def _cut(house: House, breakage: Breakage) -> None:
    _one(house.places, breakage).wire.cut()


async def _cut_after(house: House, breakage: Breakage) -> None:
    async with _wire(house, breakage) as wire:
        wire.cut_after_bytes(breakage.count, breakage.direction)


async def _hold(house: House, breakage: Breakage) -> None:
    async with _wire(house, breakage) as wire:
        wire.hold(breakage.direction)


async def _delay(house: House, breakage: Breakage) -> None:
    async with _wire(house, breakage) as wire:
        wire.delay_s = 0.15


async def _lose(house: House, breakage: Breakage) -> None:
    async with _wire(house, breakage) as wire:
        wire.drop("replies")


async def _refuse(house: House, breakage: Breakage) -> None:
    async with _wire(house, breakage) as wire:
        await wire.refuse()


async def _lose_nudges(house: House, breakage: Breakage) -> None:
    async with _wire(house, breakage) as wire:
        wire.nudges_lost = True


async def _flush_scripts(house: House, _: Breakage) -> None:
    # A Redis that is away just then has lost its scripts anyway.
    with contextlib.suppress(RedisError):
        async with asyncio.timeout(5):
            await house.client.script_flush()


_WAYS: dict[Kind, Break] = {
    "generate kill -9": lambda house, breakage: _kill(house.generate, breakage),
    "generate SIGTERM": lambda house, breakage: _replace(house.generate, breakage),
    "generate paused": lambda house, breakage: _pause(house.generate, breakage),
    "consume kill -9": lambda house, breakage: _kill(house.consume, breakage),
    "consume SIGTERM": lambda house, breakage: _replace(house.consume, breakage),
    "consume paused": lambda house, breakage: _pause(house.consume, breakage),
    "redis kill -9": _redis_kill,
    "redis loses its tail": _redis_loses_its_tail,
    "redis paused": _redis_pause,
    "wire cut": _cut,
    "wire cut after bytes": _cut_after,
    "wire held": _hold,
    "wire delayed": _delay,
    "replies lost": _lose,
    "wire refused": _refuse,
    "nudges lost": _lose_nudges,
    "SCRIPT FLUSH": _flush_scripts,
}
