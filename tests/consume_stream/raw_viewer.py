"""A viewer without a library: the bytes of the response as they come, and a socket that can be left or let starve."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode, urlsplit

import httpx2

from tests.processes import Service

DEADLINE_S = 20.0
_SMALL = 4096


class Raw:
    """One open response."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.body = b""
        self._parts = response.aiter_raw()

    async def has(self, wanted: bytes) -> bytes:
        """Read on until the body has these bytes; returns all of it so far. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE_S):
            while wanted not in self.body:
                self.body += await anext(self._parts)
        return self.body

    async def rest(self) -> bytes:
        """Read to the clean end; returns all of the body."""
        async with asyncio.timeout(DEADLINE_S):
            async for part in self._parts:
                self.body += part
        return self.body


@contextlib.asynccontextmanager
async def raw(service: Service, query: Mapping[str, str], **headers: str) -> AsyncIterator[Raw]:
    """Open a stream and leave it at the end of the block."""
    url = f"{service.url}/api/consume-stream?{urlencode(query)}"
    async with (
        httpx2.AsyncClient(timeout=DEADLINE_S, verify=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        # Bound here, because the connection ends with the iterator that reads it.
        viewer = Raw(response)
        yield viewer


def unread(service: Service, session: str, lines: str = "") -> socket.socket:
    """Ask for a stream, by these headers too, on a socket with next to no room, and read nothing of it."""
    address = urlsplit(service.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
    connection.connect((address.hostname, address.port))
    head = [f"GET /api/consume-stream?sessionId={session} HTTP/1.1", "Host: rejoin", *lines.splitlines(), "", ""]
    connection.sendall("\r\n".join(head).encode())
    return connection


def reset(connection: socket.socket) -> None:
    """End a socket as a crash of its process does: with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
