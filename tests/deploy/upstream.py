"""A service that a test plays itself, byte by byte: it takes one request after another and answers as it is told."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

_WAIT_S = 5.0


class Side:
    """One end of a connection, with a deadline on all that it waits for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Write, now."""
        self._writer.write(data)
        await self._writer.drain()

    async def read(self, number: int) -> bytes:
        """Exactly so many bytes."""
        async with asyncio.timeout(_WAIT_S):
            return await self._reader.readexactly(number)

    async def head(self) -> bytes:
        """All up to the empty line, which is left out."""
        async with asyncio.timeout(_WAIT_S):
            return (await self._reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """All until the other side ends the connection."""
        async with asyncio.timeout(_WAIT_S):
            return await self._reader.read()

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):  # the other side was first
            await self._writer.wait_closed()


class Client(Side):
    """A client that speaks plain HTTP to the origin."""

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Open a connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, head: str, body: bytes = b"") -> None:
        """Send a request; `head` is its lines, to which Host is added."""
        await self.send("\r\n".join([*head.splitlines(), "Host: rejoin.example", "", ""]).encode() + body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Upstream:
    """Listens on a port while it is entered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connections: asyncio.Queue[Side] = asyncio.Queue()
        self._all: list[Side] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for side in self._all:
            await side.close()
        await self._server.wait_closed()

    async def next(self) -> Side:
        """The next connection that comes in."""
        async with asyncio.timeout(_WAIT_S):
            return await self._connections.get()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side = Side(reader, writer)
        self._all.append(side)
        self._connections.put_nowait(side)
