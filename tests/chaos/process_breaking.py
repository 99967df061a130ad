"""Breaking a process: it dies, is told to end, or stands still."""

import asyncio
import contextlib
import signal

from redis.exceptions import RedisError

from tests.chaos.breakages import Breakage
from tests.chaos.house import LEASE_S, House
from tests.chaos.place import Place
from tests.processes import until

OUTLIVED_WITHIN_S = 2.5
"""Less than the patience with a silent vendor, who may have gone on talking meanwhile."""

SLOW_S = 0.05
BREATH_S = 0.5
"""After a pause, to read what the vendor has said meanwhile: two in a row would be one that is too long."""


def one(places: list[Place], breakage: Breakage) -> Place:
    """The place that a fault is drawn for."""
    return places[int(breakage.place * len(places))]


async def kill(places: list[Place], breakage: Breakage) -> None:
    """kill -9, and a new one."""
    place = one(places, breakage)
    async with place.busy:
        await place.kill()


async def replace(places: list[Place], breakage: Breakage) -> None:
    """SIGTERM, and a new one at once."""
    place = one(places, breakage)
    async with place.busy:
        await place.replace()


async def pause(places: list[Place], breakage: Breakage) -> None:
    """SIGSTOP, and on."""
    place = one(places, breakage)
    async with place.busy:
        place.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(breakage.seconds)
        finally:
            place.signal(signal.SIGCONT)
        await asyncio.sleep(BREATH_S)


async def outlive(house: House, breakage: Breakage) -> None:
    """Paused until another has taken something over; it goes on in that very moment, with what its vendor said."""
    place, before = one(house.generate, breakage), dict[str, str]()

    async def taken() -> bool:
        try:
            now = await house.attempts()
        except RedisError:
            return False
        return any(attempt != before.get(session, attempt) for session, attempt in now.items())

    async with house.taking_over, place.busy:
        try:
            with contextlib.suppress(RedisError, TimeoutError):
                before |= await house.attempts()
                place.signal(signal.SIGSTOP)
                if breakage.direction == "replies":
                    # A host that stands still for so long may lose its connections.
                    place.wire.cut()
                await until(taken, OUTLIVED_WITHIN_S, every_s=0.005)
        finally:
            place.signal(signal.SIGCONT)
        await asyncio.sleep(BREATH_S)


async def come_back_in_time(house: House, breakage: Breakage) -> None:
    """Paused until about when its lease is over; those who take over are slow, so that it may come in between."""
    place = one(house.generate, breakage)
    others = [other.wire for other in house.generate if other is not place]
    async with house.taking_over, place.busy:
        place.signal(signal.SIGSTOP)
        try:
            for wire in others:
                wire.delay_s = SLOW_S
            await asyncio.sleep(LEASE_S + breakage.seconds)
            place.signal(signal.SIGCONT)
            await asyncio.sleep(BREATH_S)
        finally:
            place.signal(signal.SIGCONT)
            for wire in others:
                wire.delay_s = 0.0
