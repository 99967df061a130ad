"""A house: a real Redis, the services as processes on wires of their own, and new ones for those that die."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import ResponseError

from deploy.leash import Leash
from deploy.redis_binary import Binary
from shared import keys
from tests.chaos.place import ENDS_WITHIN_S, Place
from tests.chaos.process_wire import ProcessWire
from tests.chaos.vendor import Vendor
from tests.consume_stream.facts import metric
from tests.processes import Service, vendor_settings
from tests.system.redis_crash import RedisCrash

LEASE_S = 1.0
RECHECK_S = 0.5
_SETTINGS = {
    "REJOIN_LEASE_S": str(LEASE_S),
    "REJOIN_SWEEP_S": "0.2",
    "REJOIN_RECHECK_S": str(RECHECK_S),
    "REJOIN_PING_S": "0.5",
    "REJOIN_DRAIN_S": "1",
    "REJOIN_STALL_TIMEOUT_S": "6",
    "REJOIN_SEND_TIMEOUT_S": "5",
}

DROPPED = "rejoin_viewers_dropped_total"

_ERRORS = ('"level": "error"', "Traceback", "equal or smaller")
"""The last is Redis' own word on an id, and nobody should need it: the fence and the gap check come before."""


class House:
    """Everything that runs, and the ways to reach it."""

    def __init__(self, redis_crash: RedisCrash, version: str, leash: Leash, directory: Path) -> None:
        self.redis = redis_crash
        self.version = version
        self.generate: list[Place] = []
        self.consume: list[Place] = []
        # With a timeout of its own it swallows cancellations, and with them the deadlines around it.
        self.client: Any = redis.asyncio.Redis.from_url(
            redis_crash.url, protocol=2, decode_responses=True, socket_timeout=None
        )
        """The library's own client, without a proxy before it."""
        self.redis_busy = asyncio.Lock()
        self.taking_over = asyncio.Lock()
        """Held by whoever wants one process to take over from another: both at once do nothing."""
        self._leash = leash
        self._directory = directory
        self._read: dict[Service, int] = {}
        self._dropped: dict[Service, float] = {}

    @property
    def places(self) -> list[Place]:
        """All of them."""
        return [*self.generate, *self.consume]

    def new_errors(self) -> list[str]:
        """What the processes have logged as errors of their own since the last time."""
        return [line for place in self.places for service in place.past for line in self._errors(service)]

    def _errors(self, service: Service) -> list[str]:
        told = service.log[self._read.get(service, 0) :]
        self._read[service] = self._read.get(service, 0) + len(told)
        return [line for line in told.splitlines() if any(sign in line for sign in _ERRORS)]

    async def newly_dropped(self) -> int:
        """How many viewers the living processes have dropped, since the last time, because they took nothing."""
        before, places = self._dropped, self.consume
        self._dropped = {place.service: await metric(place.service, DROPPED) for place in places}
        return round(sum(now - before.get(service, 0) for service, now in self._dropped.items()))

    async def emptied(self) -> None:
        """Kill every process, and wait for their ends."""
        self._leash.kill()
        for service in (service for place in self.places for service in place.past):
            if service.process:
                await service.ended(ENDS_WITHIN_S)

    async def living(self) -> set[str]:
        """The instances of consume-stream that are connected to Redis now."""
        names = [client["name"] for client in await self.client.client_list()]
        return {name.rpartition("-")[2] for name in names if name.startswith("rejoin-consume-")}

    async def groups(self, session: str) -> list[str]:
        """The names of a log's groups; none where there is no log."""
        try:
            return [group["name"] for group in await self.client.xinfo_groups(keys.log(session))]
        except ResponseError:
            return []

    async def attempts(self) -> dict[str, str]:
        """The attempt of each running generation, by session."""
        sessions = await self.client.zrange(keys.RUNNING, 0, -1)
        return {session: await self.client.hget(keys.meta(session), "attempt") for session in sessions}

    async def told_of(self, session: str) -> list[str]:
        """What Redis holds of a session, in lines for people."""
        entries = await self.client.xrange(keys.log(session))
        meta = await self.client.hgetall(keys.meta(session))
        return [session, str(meta), *(f"{entry_id} {fields}" for entry_id, fields in entries)]

    def keep_logs(self, directory: Path) -> None:
        """Copy what the processes have said to a directory."""
        for place_number, place in enumerate(self.places):
            for number, service in enumerate(place.past):
                name = f"{place_number}-{place.module.rpartition('.')[2]}-{number}.log"
                (directory / name).write_text(service.log)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(self._directory / "redis.log", directory)


@contextlib.asynccontextmanager
async def running(binary: Binary, vendor: Vendor, generate: int, consume: int) -> AsyncIterator[House]:
    """A house with so many processes of each service."""
    async with contextlib.AsyncExitStack() as ends:
        directory = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True)))
        leash = ends.enter_context(contextlib.closing(Leash()))
        crash = await ends.enter_async_context(RedisCrash(binary, directory, leash))
        house = House(crash, binary.version, leash, directory)
        ends.push_async_callback(house.client.aclose)
        for module, places, number in (
            ("services.generate_stream", house.generate, generate),
            ("services.consume_stream", house.consume, consume),
        ):
            for _ in range(number):
                wire = await ends.enter_async_context(ProcessWire(crash.url))
                environ = _SETTINGS | (vendor_settings(vendor.url) if places is house.generate else {})
                places.append(Place(module, wire, leash, environ))
        ends.push_async_callback(house.emptied)
        # One after the other: on a busy machine, all at once would take longer than each may.
        for place in house.places:
            await place.start()
        yield house
