"""A proxy between a reader and the origin that does what proxies do to streams: hold back, compress, cut."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Self

from tests.ports import free_port

_OURS = (b"transfer-encoding", b"content-length", b"connection", b"date")


class BrokenProxy:
    """Stands in front of a port of this machine while `async with` lasts. It takes one GET a connection."""

    def __init__(self, port: int, *, holds: bool = False, gzips: bool = False, idle_s: float | None = None) -> None:
        self._port = port
        self._holds = holds
        self._gzips = gzips
        self._idle_s = idle_s
        self.date_ahead_s = 0.0
        self.own_port = free_port()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The way through here."""
        return f"http://127.0.0.1:{self.own_port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.own_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        from_origin, to_origin = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            to_origin.write(request)
            status, *headers = (await from_origin.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
            is_stream = b"text/event-stream" in b"".join(headers)
            gzips = self._gzips and is_stream and b"gzip" in request
            kept = [header for header in headers if not header.lower().startswith(_OURS)]
            kept += [b"content-encoding: gzip"] if gzips else []
            date = formatdate(timeval=time.time() + self.date_ahead_s, usegmt=True).encode()
            writer.write(b"\r\n".join([status, *kept, b"date: " + date, b"connection: close", b"", b""]))
            await self._body(_whole(from_origin, headers), writer, gzips=gzips, is_stream=is_stream)
        except TimeoutError:
            writer.transport.abort()
        finally:
            to_origin.close()
            writer.close()

    async def _body(
        self, parts: AsyncIterator[bytes], writer: asyncio.StreamWriter, *, gzips: bool, is_stream: bool
    ) -> None:
        press, held = zlib.compressobj(wbits=31), b""
        while True:
            async with asyncio.timeout(self._idle_s if is_stream else None):
                part = await anext(parts, None)
            if part is None:
                break
            data = press.compress(part) + press.flush(zlib.Z_SYNC_FLUSH) if gzips else part
            held += data
            if not (self._holds and is_stream):
                writer.write(held)
                held = b""
        writer.write(held + (press.flush() if gzips else b""))


async def _whole(reader: asyncio.StreamReader, headers: list[bytes]) -> AsyncIterator[bytes]:
    """The parts of a body: chunks, or all at once."""
    lengths = [int(each.partition(b":")[2]) for each in headers if each.lower().startswith(b"content-length")]
    if lengths:
        yield await reader.readexactly(lengths[0])
        return
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
