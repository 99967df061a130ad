"""A master, a replica and three Sentinels of one's own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import redis.asyncio

from deploy.leash import Leash
from deploy.redis_binary import Binary
from tests import redis_users
from tests.certificates import Certificates
from tests.processes import until
from tests.redis_nodes import HOST, Node

SERVICE = "rejoin"
AGREED_S = 60.0
LOOK_S = 0.1
_DOWN_AFTER_MS = 1000
_CONFIG = "sentinel.conf"
_ARGUMENTS = ("--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0")


class RedisSentinel:
    """Made on entering, gone with the leash."""

    def __init__(self, binary: Binary, leash: Leash, certificates: Certificates | None = None) -> None:
        arguments = (*_ARGUMENTS, *redis_users.arguments(binary))
        self.nodes = [Node(binary, leash, arguments, certificates) for _ in range(2)]
        self.sentinels = [_sentinel(binary, leash, certificates) for _ in range(3)]

    @property
    def url(self) -> str:
        """Its Sentinels, and the name by which they know the master."""
        return f"redis+sentinel://{','.join(sentinel.address for sentinel in self.sentinels)}/{SERVICE}"

    async def __aenter__(self) -> Self:
        try:
            await self._agree()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in (*self.sentinels, *self.nodes):
            await node.kill()

    async def _agree(self) -> None:
        async with asyncio.TaskGroup() as starting:
            for node in (*self.nodes, *self.sentinels):
                starting.create_task(node.start())
        master, replica = self.nodes
        await replica.call("REPLICAOF", HOST, master.port)
        for sentinel in self.sentinels:
            await sentinel.call("SENTINEL", "MONITOR", SERVICE, HOST, master.port, 2)
            await sentinel.call("SENTINEL", "SET", SERVICE, "down-after-milliseconds", _DOWN_AFTER_MS)
            await sentinel.call("SENTINEL", "SET", SERVICE, "failover-timeout", 5000)
        await until(self.is_whole, AGREED_S, every_s=LOOK_S)

    async def master(self) -> Node:
        """As the Sentinels have it."""
        _, port = await self.sentinels[0].call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(node for node in self.nodes if node.port == int(port))

    async def is_whole(self) -> bool:
        """Whether the replica is up to date, and each Sentinel knows it and the two others."""
        roles = [await node.call("ROLE") for node in self.nodes]
        told = [_fields(await sentinel.call("SENTINEL", "MASTER", SERVICE)) for sentinel in self.sentinels]
        known = all((one["num-slaves"], one["num-other-sentinels"]) == ("1", "2") for one in told)
        return known and sum(role[0] == "slave" and role[3] == "connected" for role in roles) == 1

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """The library's own, to look at what is there."""
        found = redis.asyncio.sentinel.Sentinel([(HOST, sentinel.port) for sentinel in self.sentinels])
        async with contextlib.AsyncExitStack() as owned:
            for sentinel in found.sentinels:
                owned.push_async_callback(sentinel.aclose)
            master = found.master_for(SERVICE, protocol=2, decode_responses=True)
            yield await owned.enter_async_context(master)


def _sentinel(binary: Binary, leash: Leash, certificates: Certificates | None) -> Node:
    node = Node(binary, leash, (_CONFIG, "--sentinel"), certificates)
    # It writes what it learns into its own file, and needs one for that.
    (node.directory / _CONFIG).touch()
    return node


def _fields(told: Any) -> dict[str, str]:
    """SENTINEL MASTER, which the library takes apart or not."""
    if isinstance(told, dict):
        return {name: str(value) for name, value in told.items()}
    return dict(zip(told[::2], told[1::2], strict=True))
