"""A Redis Cluster of one's own: three masters, three replicas, slots that move, masters that fail."""

import asyncio
from typing import Any, Self

import redis.asyncio
from redis.asyncio.cluster import ClusterNode
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from deploy.leash import Leash
from deploy.redis_binary import Binary
from tests import redis_users
from tests.certificates import Certificates
from tests.processes import until
from tests.redis_nodes import HOST, Node

MASTERS = 3
AGREED_S = 60.0
LOOK_S = 0.1
STRIPE = 64
"""Slots side by side that one master has: the map is in many pieces, as that of a cluster whose slots have moved."""

NODE_TIMEOUT_MS = 1000
"""After which a master that does not answer is replaced."""

_ARGUMENTS = (
    "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", str(NODE_TIMEOUT_MS),
    "--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0",
)  # fmt: skip

_TLS = ("--tls-cluster", "yes")


class RedisCluster:
    """Made on entering, gone with the leash."""

    def __init__(self, binary: Binary, leash: Leash, certificates: Certificates | None = None) -> None:
        arguments = (*_ARGUMENTS, *redis_users.arguments(binary), *(_TLS if certificates else ()))
        self.nodes = [Node(binary, leash, arguments, certificates) for _ in range(2 * MASTERS)]

    @property
    def url(self) -> str:
        """Two of its nodes are enough to find all."""
        return f"redis+cluster://{self.nodes[0].address},{self.nodes[1].address}"

    async def __aenter__(self) -> Self:
        try:
            await self._agree()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes:
            await node.kill()

    async def _agree(self) -> None:
        async with asyncio.TaskGroup() as starting:
            for node in self.nodes:
                starting.create_task(node.start())
        masters, replicas = self.nodes[:MASTERS], self.nodes[MASTERS:]
        first, *others = self.nodes
        for number, master in enumerate(masters):
            slots = [slot for slot in range(REDIS_CLUSTER_HASH_SLOTS) if slot // STRIPE % MASTERS == number]
            await master.call("CLUSTER", "ADDSLOTS", *slots)
            await master.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for other in others:
            await first.call("CLUSTER", "MEET", HOST, other.port)
        await until(self._know_all, AGREED_S, every_s=LOOK_S)
        for master, replica in zip(masters, replicas, strict=True):
            await replica.call("CLUSTER", "REPLICATE", await master.call("CLUSTER", "MYID"))
        await until(self.is_whole, AGREED_S, every_s=LOOK_S)

    def client(self) -> Any:
        """The library's own, to look at what is there."""
        seeds = [ClusterNode(HOST, node.port) for node in self.nodes]
        return redis.asyncio.RedisCluster(startup_nodes=seeds, protocol=2, decode_responses=True)

    async def master(self, key: str) -> Node:
        """The node that has a key's slot."""
        slot = key_slot(key.encode())
        for first, last, (_, port, *_), *_ in await self._anyone("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(slot)

    async def replicas(self, master: Node) -> list[Node]:
        """Those that follow a master."""
        ports = {int(port) for _, port, _ in (await master.call("ROLE"))[2]}
        return [node for node in self.nodes if node.port in ports]

    async def is_whole(self) -> bool:
        """Whether all nodes live, agree, and each master has a replica that is up to date."""
        infos = await asyncio.gather(*(node.call("CLUSTER", "INFO") for node in self.nodes))
        roles = await asyncio.gather(*(node.call("ROLE") for node in self.nodes))
        agreed = all(info["cluster_state"] == "ok" for info in map(_fields, infos))
        followed = sum(role[0] == "slave" and role[3] == "connected" for role in roles)
        return agreed and followed == MASTERS

    async def _know_all(self) -> bool:
        infos = await asyncio.gather(*(node.call("CLUSTER", "INFO") for node in self.nodes))
        return all(int(info["cluster_known_nodes"]) == len(self.nodes) for info in map(_fields, infos))

    async def _anyone(self, *command: Any) -> Any:
        for node in self.nodes:
            try:
                return await node.call(*command)
            except redis.exceptions.RedisError:
                continue
        raise LookupError


class Move:
    """A slot on its way from its master to another one, step by step."""

    def __init__(self, cluster: RedisCluster, key: str) -> None:
        self._cluster = cluster
        self._key = key
        self._slot = key_slot(key.encode())
        self._from: Node
        self._to: Node

    async def begin(self) -> None:
        """What is there stays for the moment; what is new, and what has gone, is asked for at the other master."""
        self._from = await self._cluster.master(self._key)
        slots = await self._cluster._anyone("CLUSTER", "SLOTS")
        ports = sorted({port for _, _, (_, port, *_), *_ in slots if port != self._from.port})
        self._to = next(node for node in self._cluster.nodes if node.port == ports[0])
        source, target = await self._from.call("CLUSTER", "MYID"), await self._to.call("CLUSTER", "MYID")
        await self._to.call("CLUSTER", "SETSLOT", self._slot, "IMPORTING", source)
        await self._from.call("CLUSTER", "SETSLOT", self._slot, "MIGRATING", target)

    async def keys(self, most: int = 1000) -> None:
        """Move the keys, one at a time."""
        for key in await self._from.call("CLUSTER", "GETKEYSINSLOT", self._slot, most):
            await self._from.call("MIGRATE", HOST, self._to.port, key, 0, 5000)

    async def end(self) -> None:
        """The slot is the other master's."""
        target = await self._to.call("CLUSTER", "MYID")
        for node in (self._to, self._from):
            await node.call("CLUSTER", "SETSLOT", self._slot, "NODE", target)


def _fields(info: Any) -> dict[str, str]:
    """CLUSTER INFO, which the library takes apart or not."""
    if isinstance(info, dict):
        return info
    return dict(line.split(":", 1) for line in info.split() if ":" in line)
