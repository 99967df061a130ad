"""A viewer at the end of a narrow line: what it asks for comes when it likes, or stays where it is."""

import asyncio
import re
import socket
from urllib.parse import urlsplit

from tests.processes import Service

_ROOM_BYTES = 4096
_SEGMENT_BYTES = 1400
"""As on the internet. With loopback's 64 KiB the kernel holds megabytes for each connection."""

_BITE_BYTES = 1024
_CHUNK = re.compile(rb"([0-9a-f]+)\r\n", re.IGNORECASE)


def narrow(service: Service, asked: bytes = b"") -> socket.socket:
    """A connection with next to no room at its end, on which this much has been asked, and nothing is read."""
    address = urlsplit(service.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_BYTES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
    connection.connect((address.hostname, address.port))
    connection.sendall(asked)
    connection.setblocking(False)
    return connection


def request(session: str, follow: str = "answer") -> bytes:
    """What a viewer asks for."""
    path = f"/api/consume-stream?sessionId={session}&follow={follow}"
    return f"GET {path} HTTP/1.1\r\nHost: rejoin\r\n\r\n".encode()


async def sipped(connection: socket.socket, bytes_per_second: float) -> bytes:
    """Take the response at this rate, to its clean end; returns its body. Raises AssertionError when it is cut."""
    loop, raw = asyncio.get_running_loop(), b""
    while not raw.endswith(b"\r\n0\r\n\r\n"):
        bite = await loop.sock_recv(connection, _BITE_BYTES)
        assert bite, f"cut after {len(raw)} bytes"
        raw += bite
        await asyncio.sleep(len(bite) / bytes_per_second)
    return _body(raw.partition(b"\r\n\r\n")[2])


def _body(chunked: bytes) -> bytes:
    """Without the lengths that HTTP/1.1 puts between."""
    parts, at = [], 0
    while length := _CHUNK.match(chunked, at):
        size = int(length[1], 16)
        parts.append(chunked[length.end() : length.end() + size])
        at = length.end() + size + 2
    return b"".join(parts)
