"""Breaking: each kind of fault, done to a running house and healed again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.chaos import process_breaking, redis_breaking
from tests.chaos.breakages import Breakage, Kind
from tests.chaos.house import House
from tests.chaos.process_breaking import one
from tests.chaos.process_wire import ProcessWire
from tests.chaos.redis_breaking import JUMP_S

Break = Callable[[House, Breakage], Awaitable[None]]


async def do(house: House, breakage: Breakage) -> None:
    """Break, and heal."""
    await _WAYS[breakage.kind](house, breakage)


@contextlib.asynccontextmanager
async def _wire(house: House, breakage: Breakage) -> AsyncIterator[ProcessWire]:
    """A wire for as long as its fault lasts, healed after it."""
    wire = one(house.places, breakage).wire
    try:
        yield wire
        await asyncio.sleep(breakage.seconds)
    finally:
        wire.nudges_lost = False
        await wire.heal()


async def _cut(house: House, breakage: Breakage) -> None:
    one(house.places, breakage).wire.cut()


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


_WAYS: dict[Kind, Break] = {
    "generate kill -9": lambda house, breakage: process_breaking.kill(house.generate, breakage),
    "generate SIGTERM": lambda house, breakage: process_breaking.replace(house.generate, breakage),
    "generate paused": lambda house, breakage: process_breaking.pause(house.generate, breakage),
    "generate outlived": process_breaking.outlive,
    "generate back in time": process_breaking.come_back_in_time,
    "consume kill -9": lambda house, breakage: process_breaking.kill(house.consume, breakage),
    "consume SIGTERM": lambda house, breakage: process_breaking.replace(house.consume, breakage),
    "consume paused": lambda house, breakage: process_breaking.pause(house.consume, breakage),
    "redis kill -9": redis_breaking.kill,
    "redis loses its tail": redis_breaking.lose_tail,
    "redis paused": redis_breaking.pause,
    "redis full": redis_breaking.fill,
    "clock set ahead": redis_breaking.clock_set(JUMP_S),
    "clock set back": redis_breaking.clock_set(-JUMP_S),
    "failover ahead": redis_breaking.failover(JUMP_S),
    "failover back": redis_breaking.failover(-JUMP_S),
    "wire cut": _cut,
    "wire cut after bytes": _cut_after,
    "wire held": _hold,
    "wire delayed": _delay,
    "replies lost": _lose,
    "wire refused": _refuse,
    "nudges lost": _lose_nudges,
    "SCRIPT FLUSH": redis_breaking.flush_scripts,
}
