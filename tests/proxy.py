"""A TCP proxy in front of Redis that cuts, delays, holds, drops and refuses. It knows nothing of what it carries."""

import asyncio
import socket
import struct
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio.connection import parse_url

from tests.ends import Direction, End, Faults
from tests.ports import free_port

_RESET = struct.pack("ii", 1, 0)
"""Linger for no time at all: closing says so with a reset, as a host does that has lost the connection."""

_SEGMENTS_IN = struct.Struct("152xI")
"""Where Linux's `struct tcp_info` counts the segments with data that a socket has received."""


class Proxy(Faults):
    """Stands in front of a Redis (TCP or Unix socket, without TLS) on a free port while `async with` lasts.

    A fault holds for all connections, later ones too, until `heal`.
    """

    def __init__(self, redis_url: str) -> None:
        super().__init__()
        self.connections = 0
        """How many clients have connected so far."""
        self.port = free_port()
        self._redis_url = redis_url
        self._server: asyncio.Server | None = None
        self._connecting: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)

    @property
    def url(self) -> str:
        """The way to the same Redis through here, with the same credentials and database."""
        scheme, netloc, path, query, _ = urlsplit(self._redis_url)
        user, at, _ = netloc.rpartition("@")
        database = "" if scheme == "unix" else path
        return urlunsplit(("redis", f"{user}{at}127.0.0.1:{self.port}", database, query, ""))

    def segments(self) -> int:
        """How many segments with data the connected clients have sent, by Linux's own count: a small write is one."""
        option = getattr(socket, "TCP_INFO", 0)
        sockets = [end.transport.get_extra_info("socket") for end in self.ends if end.direction == "requests"]
        infos = [each.getsockopt(socket.IPPROTO_TCP, option, _SEGMENTS_IN.size) for each in sockets]
        return sum(_SEGMENTS_IN.unpack(info)[0] for info in infos)

    def cut(self) -> None:
        """Break all connections at once, by a reset; what is on its way is lost. New ones are welcome."""
        for end in self.ends:
            if end.direction == "requests":
                end.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

    def cut_after_bytes(self, count: int, direction: Direction) -> None:
        """Break, once, the connection that brings so many bytes more in a direction; `count` of them still arrive."""
        self.left[direction] = count

    async def refuse(self) -> None:
        """Break all connections and let nobody connect: connection refused."""
        if self._server:
            self._server.close()
        self.cut()

    def hold(self, direction: Direction) -> None:
        """Pass nothing on, nor the end of a connection: one side is silent. It is kept, and the rest not read."""
        self.held.add(direction)
        for end in self.ends:
            end.read_or_not()

    def drop(self, direction: Direction) -> None:
        """Swallow everything. TCP loses nothing from the middle, so `heal` breaks what may have lost something."""
        self.dropped.add(direction)

    async def heal(self) -> None:
        """End every fault: what was held goes on, who was refused may come again."""
        if self.dropped:
            self.cut()
        self.held, self.dropped, self.left, self.delay_s = set(), set(), {}, 0.0
        for end in list(self.ends):
            end.flush()
        if self._server is None or not self._server.is_serving():
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: End(self, "requests"), "127.0.0.1", self.port)

    def connect(self, client: End) -> None:
        """Connect a new client with Redis."""
        self.connections += 1
        task = asyncio.create_task(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, client: End) -> None:
        loop, place = asyncio.get_running_loop(), parse_url(self._redis_url)
        try:
            if "path" in place:
                await loop.create_unix_connection(lambda: End(self, "replies", client), place["path"])
            else:
                host, port = place.get("host", "localhost"), place.get("port", 6379)
                await loop.create_connection(lambda: End(self, "replies", client), host, port)
        except OSError:
            client.transport.abort()
