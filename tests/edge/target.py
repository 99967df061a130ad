"""What is fired at: both services on a Redis of their own, and what must be true of them afterwards."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import psutil
import redis.asyncio

from deploy.leash import Leash
from deploy.redis_server import RedisServer
from shared import keys
from tests.edge.upgrades import SECRET
from tests.processes import Service, Services, until
from tests.viewing import Viewer

SETTLED_S = 30.0
GROWN_MAX_BYTES = 96 * 1024 * 1024
"""What a process may take more than after its first round: caches fill, and requests of 200 KB are on their way."""

_SIGNS_OF_LIFE = "llm:consumer:"


class Target:
    """The demo answers, which needs no network."""

    def __init__(self, services: Services, client: Any) -> None:
        self.services = services
        self._redis = client
        self._read = dict.fromkeys(self.both, 0)
        self._resident: dict[Service, int] = {}

    @property
    def both(self) -> tuple[Service, Service]:
        """generate-stream and consume-stream."""
        return self.services.generate, self.services.consume

    async def answers(self) -> None:
        """See a good question answered, from its start to what a viewer is shown of it."""
        begun = await self.services.start(prompt="Are you well?")
        viewer = Viewer(self.services.consume.url, begun["sessionId"])
        await viewer.connect(until=lambda frame: frame.event["type"] == "chunk")

    async def settles(self) -> None:
        """See that nothing is left: no connection, no viewer's group or listener; then, with all sessions deleted,
        no key but their marks."""
        await until(self._is_alone, SETTLED_S)
        await until(self._is_unwatched, SETTLED_S)
        await until(self._is_empty, SETTLED_S, every_s=0.2)

    def logged_well(self) -> None:
        """See that what they have logged since the last look are whole lines, of which none tells of an error."""
        for service in self.both:
            lines = service.log[self._read[service] :].rpartition("\n")[0]
            self._read[service] += len(lines)
            for line in filter(None, lines.split("\n")):
                told = json.loads(line)
                assert told["level"] in ("info", "warning", "debug"), line
                assert "Traceback" not in line, line
                assert SECRET.decode() not in line, line

    def is_no_larger(self) -> dict[str, int]:
        """See that neither has grown much since the first look; tells what each takes, in MB."""
        taken = {}
        for name, service in zip(("generate", "consume"), self.both, strict=True):
            assert service.process
            assert service.process.poll() is None, f"{name} has died:\n{service.log[-4000:]}"
            resident = psutil.Process(service.process.pid).memory_info().rss
            grown = resident - self._resident.setdefault(service, resident)
            assert grown < GROWN_MAX_BYTES, f"{name} has grown by {grown} bytes"
            taken[name] = resident // 1024**2
        return taken

    async def _is_alone(self) -> bool:
        for service in self.both:
            assert service.process
            port = httpx2.URL(service.url).port
            connections = psutil.Process(service.process.pid).net_connections("tcp")
            if any(each.laddr.port == port and each.status != psutil.CONN_LISTEN for each in connections):
                return False
        async with httpx2.AsyncClient(verify=False) as client:
            return "\nrejoin_viewers 0.0\n" in (await client.get(f"{self.services.consume.url}/metrics")).text

    async def _is_unwatched(self) -> bool:
        for key in await self._redis.keys("llm:stream:*"):
            if await self._redis.xinfo_groups(key):
                return False
        return not await self._redis.pubsub_channels("llm:stream:*")

    async def _is_empty(self) -> bool:
        async with httpx2.AsyncClient(base_url=self.services.generate.url, verify=False) as client:
            for key in await self._redis.keys("llm:stream:*"):
                body = {"sessionId": key.removeprefix(keys.log(""))}
                assert (await client.post("/api/delete-stream", json=body)).status_code == 204
        left = [key for key in await self._redis.keys("*") if not key.startswith(_SIGNS_OF_LIFE)]
        return all([await self._is_mark(key) for key in left])

    async def _is_mark(self, key: str) -> bool:
        # What fences the writer of a deleted session; it goes by itself.
        if not key.endswith(":meta") or await self._redis.ttl(key) < 0:
            return False
        return bool((await self._redis.hgetall(key)).keys() == {"status", "attemptMs"})


@contextlib.asynccontextmanager
async def standing(server: RedisServer, leash: Leash) -> AsyncIterator[Target]:
    """Both services on this Redis."""
    settings = {"REJOIN_TTL_S": "60", "REJOIN_PING_S": "0.5", "REJOIN_DOCTOR": "on"}
    async with (
        Services(server.url, leash, **settings) as services,
        redis.asyncio.Redis.from_url(server.url, protocol=2, decode_responses=True) as client,
    ):
        yield Target(services, client)
