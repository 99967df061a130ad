"""A client of raw bytes: what it sends is nobody's idea of a request, and it sees all that comes back."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx2

from tests.processes import Service

DEADLINE_S = 20.0
_ROOM = 2**14


class Answer(NamedTuple):
    """One response that has a length."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The stable code of an error."""
        error: Any = json.loads(self.body)["error"]
        assert error.keys() == {"code", "message"}
        return str(error["code"])


class Line:
    """One connection to a service."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Write, now. A service may hang up on what it has not read yet."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def ask(self, head: str, body: bytes = b"") -> Answer:
        """Send a request, its lines without Host, and read its answer."""
        await self.send("\r\n".join([*head.splitlines(), "Host: rejoin", "", ""]).encode() + body)
        return await self.answer()

    async def head(self, within_s: float = DEADLINE_S) -> tuple[int, dict[str, str]]:
        """Status and headers of the next response."""
        async with asyncio.timeout(within_s):
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), "a header stands twice"
        return int(first.split()[1]), headers

    async def answer(self, within_s: float = DEADLINE_S) -> Answer:
        """The next response, whole."""
        status, headers = await self.head(within_s)
        async with asyncio.timeout(DEADLINE_S):
            return Answer(status, headers, await self._reader.readexactly(int(headers.get("content-length", 0))))

    async def has(self, wanted: bytes) -> bytes:
        """Read on until these bytes."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readuntil(wanted)

    async def some(self, most: int) -> bytes:
        """A part of what has come, once there is any."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read(most)

    async def rest(self, within_s: float = DEADLINE_S) -> bytes:
        """All until the service ends the connection; raises TimeoutError when it does not."""
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                return await self._reader.read()
        return b""


@contextlib.asynccontextmanager
async def line(service: Service | int) -> AsyncIterator[Line]:
    """A connection to a service, or to a port, left at the end of the block."""
    port = service if isinstance(service, int) else httpx2.URL(service.url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_ROOM)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()
