"""Wires: one to each node of Redis, and each command on the wire of its key."""

import asyncio
from functools import partial
from typing import Any

from redis.exceptions import AskError, ClusterDownError, MovedError, ResponseError, TryAgainError

from shared.redis import Redis
from shared.server_clock import unix_ms
from shared.wire import Asked, RedisAway, Wire, pack

_ASKING = pack("ASKING")
_TIME = pack("TIME")

_HOPS_MAX = 5
"""How many nodes may send a command on: more go round in a circle, while the cluster agrees on something."""


class Wires:
    """The wires of a process for one purpose, each made when it is first needed, all to one Redis.

    What one node of a cluster refuses because another one has the slot goes there, so that a caller learns of a slot
    that moves only by the wire of its next command being another.
    """

    def __init__(self, redis: Redis, timeout_s: float) -> None:
        self.redis = redis
        self._timeout_s = timeout_s
        self._wires: dict[str, Wire] = {}
        self._break = asyncio.Event()

    def of(self, key: str) -> Wire:
        """The wire to the node that should have a key."""
        return self._to(self.redis.node(key))

    def all(self) -> dict[str, Wire]:
        """The wire to each node that has keys."""
        return {node: self._to(node) for node in self.redis.nodes()}

    def epoch(self, key: str) -> tuple[str, int]:
        """Which connection a key's commands take: a caller that sees another knows that replies may be lost."""
        node = self.redis.node(key)
        return node, self._to(node).epoch

    async def broken(self) -> None:
        """Wait until a connection breaks, or can't be made."""
        await self._break.wait()

    async def clocks(self) -> dict[str, float]:
        """What time it is at each node (Unix time, ms), without those that are away. Raises RedisError when all are."""
        wires = self.all()
        replies = await asyncio.gather(*(wire.send(_TIME) for wire in wires.values()), return_exceptions=True)
        told = dict(zip(wires, replies, strict=True))
        failures = [reply for reply in replies if isinstance(reply, BaseException)]
        if len(failures) == len(wires):
            raise failures[0]
        return {node: unix_ms(reply) for node, reply in told.items() if isinstance(reply, list)}

    async def close(self) -> None:
        """Drop all connections."""
        await asyncio.gather(*(wire.close() for wire in self._wires.values()))

    def _to(self, node: str) -> Wire:
        wire = self._wires.get(node)
        if wire is None:
            wire = self._wires[node] = Wire(partial(self.redis.connect, node), self._timeout_s, _Owned(self, node))
        return wire

    def broke(self) -> None:
        """As a wire's owner: a connection broke, so its node may no longer be what it was."""
        self._break.set()
        self._break = asyncio.Event()
        self.redis.doubt()

    def redirected(self, asked_node: str, refusal: ResponseError, asked: Asked) -> bool:
        """As a wire's owner: send a command where a node says, or tell its caller to try again."""
        if isinstance(refusal, AskError) and asked.hops < _HOPS_MAX:
            # A node that does not know another one's name means the one by which it was reached itself.
            node = f"{refusal.host or asked_node.rpartition(':')[0]}:{refusal.port}"
            wire = self._to(node)
            if isinstance(refusal, MovedError):
                self.redis.moved(refusal.slot_id, node)
            else:
                wire.ask(_ASKING, _nothing)
            wire.ask(asked.packed, asked.told, asked.hops + 1)
            return True
        if isinstance(refusal, AskError | ClusterDownError | TryAgainError):
            self.redis.doubt()
            asked.told(RedisAway(str(refusal)))
            return True
        return False


class _Owned:
    """The owner of one wire: these wires, and which node it leads to."""

    def __init__(self, wires: Wires, node: str) -> None:
        self._node = node
        self._wires = wires

    def broke(self) -> None:
        self._wires.broke()

    def redirected(self, refusal: ResponseError, asked: Asked) -> bool:
        return self._wires.redirected(self._node, refusal, asked)


def _nothing(_: Any) -> None:
    """The reply to ASKING says nothing."""
