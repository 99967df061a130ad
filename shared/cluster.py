"""A Redis Cluster: which node has which slot, as its nodes said last."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError

from shared import logs
from shared.redis import TIMEOUT_S

_log = logging.getLogger(__name__)

Address = tuple[str, int]

_PAUSE_S = 0.25
"""Between two looks: a failover takes seconds, and every lost connection asks for one."""

_SHARDED_SINCE = 7
"""The first major version that has Pub/Sub within one shard."""


class Cluster:
    """Knows the master of every slot. What it believes may be old: nodes then say so, and `doubt` has it look again.

    The map is asked for with CLUSTER SLOTS on one raw connection at a time; redis-py's own cluster client comes with a
    pool for each node, and sends a command at a time.
    """

    def __init__(self, seeds: Sequence[Address], connect: Callable[[str, int], AbstractConnection]) -> None:
        self.publish = "PUBLISH"
        self._seeds = [_named(*seed) for seed in seeds]
        self._connect = connect
        self._masters: list[str] = [""] * REDIS_CLUSTER_HASH_SLOTS
        self._nodes = frozenset(self._seeds[:1])
        self._doubted = asyncio.Event()
        self._change = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def node(self, key: str) -> str:
        """The master of a key's slot; any node, which will name it, before that is known."""
        return self._masters[key_slot(key.encode())] or self._seeds[0]

    def nodes(self) -> Collection[str]:
        """The masters that have slots."""
        return self._nodes

    def connect(self, node: str) -> AbstractConnection:
        """A raw connection to a node, not connected yet."""
        host, _, port = node.rpartition(":")
        return self._connect(host, int(port))

    def moved(self, slot: int, node: str) -> None:
        """A slot has another master; most likely it is not the only one."""
        self._masters[slot] = node
        self._nodes |= {node}
        self._tell()
        self.doubt()

    def doubt(self) -> None:
        """Look again, soon."""
        self._doubted.set()

    async def changed(self) -> None:
        """Wait until a slot has another master than before."""
        await self._change.wait()

    async def open(self) -> None:
        """Look, and from now on whenever there is doubt."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._look()
        self._task = asyncio.create_task(self._look_when_doubted(), name="cluster")

    async def close(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_when_doubted(self) -> None:
        away = False
        while True:
            await self._doubted.wait()
            self._doubted.clear()
            try:
                await self._look()
                away = False
            except (RedisError, OSError, TimeoutError) as error:
                if not away:
                    logs.warning(_log, "no node of the cluster answers", cause=str(error) or "no answer in time")
                away = True
                self._doubted.set()
            except Exception:  # noqa: BLE001 - were this task to end, a map that is old would stay so for ever
                _log.exception("what a node of the cluster says can't be read")
                self._doubted.set()
            await asyncio.sleep(_PAUSE_S)

    async def _look(self) -> None:
        """Ask one node after the other, those first that were masters last. Raises what the last one's failure was."""
        failure: Exception = RedisError("no node")
        for node in dict.fromkeys([*self._nodes, *self._seeds]):
            try:
                async with asyncio.timeout(TIMEOUT_S / 5):
                    said = await self._ask(node)
            except (RedisError, OSError, TimeoutError) as error:
                failure = error
                continue
            if not said[0]:
                # It was taken out of the cluster, or has lost what it knew: another one's word is needed.
                failure = RedisError(f"{node} knows of no slots")
                continue
            self._believe(node, *said)
            return
        raise failure

    async def _ask(self, node: str) -> tuple[list[Any], int]:
        connection = self.connect(node)
        try:
            await connection.connect()
            await connection.send_command("CLUSTER", "SLOTS")
            slots = await connection.read_response(disable_decoding=True)
            await connection.send_command("INFO", "server")
            info = await connection.read_response(disable_decoding=True)
        finally:
            await connection.disconnect(nowait=True)
        return slots, int(info.partition(b"redis_version:")[2].partition(b".")[0])

    def _believe(self, asked: str, slots: list[Any], version: int) -> None:
        masters = [""] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, (host, port, *_), *_ in slots:
            # A node that does not know its own name means the one by which it was reached.
            node = _named(host.decode() if host else asked.rpartition(":")[0], port)
            masters[first : last + 1] = [node] * (last + 1 - first)
        if masters != self._masters:
            self._masters = masters
            self._nodes = frozenset(node for node in masters if node) or frozenset(self._seeds[:1])
            self._tell()
            logs.info(_log, "the cluster's masters", nodes=sorted(self._nodes))
        self.publish = "SPUBLISH" if version >= _SHARDED_SINCE else "PUBLISH"

    def _tell(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def _named(host: str, port: int) -> str:
    return f"{host}:{port}"
