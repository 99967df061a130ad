"""One TCP connection of a fake server: HTTP/1.1 read and written by hand, so that every byte is ours to break."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text of the last user message, or of what a tool gave back after it."""
        said = [message["content"] for message in self.body.get("messages", []) if message["role"] in ("user", "tool")]
        last = said[-1] if said else ""
        if isinstance(last, list):
            last = last[-1].get("content") if isinstance(last[-1], dict) else ""
        return last if isinstance(last, str) else ""


class Server(Protocol):
    """Who answers, and keeps the connections."""

    connections: list["Connection"]

    async def answer(self, request: Request, connection: "Connection") -> None:
        """Answer one request on its connection."""
        ...


class Connection(asyncio.Protocol):
    """Reads requests, one after the other, and notices at once when the client goes."""

    def __init__(self, server: Server) -> None:
        self.closed = asyncio.Event()
        self.closed_by_client = True
        self._server = server
        self._received = b""
        self._chunked = True
        self._transport: asyncio.Transport
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.append(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._received = rest[length:]
        request = Request(first.split()[1], headers, json.loads(rest[:length] or b"{}"))
        self._answering = asyncio.ensure_future(self._server.answer(request, self))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        if self._answering is not None:
            self._answering.cancel()

    def reply(self, status: int, body: bytes) -> None:
        """Answer with JSON. The header makes the vendors' SDKs repeat at once what they repeat at all."""
        head = f"HTTP/1.1 {status} Told So\r\ncontent-type: application/json\r\nretry-after-ms: 1\r\n"
        self._transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    def start(self, *, chunked: bool) -> None:
        """Begin a stream of events."""
        self._chunked = chunked
        framing = "transfer-encoding: chunked" if chunked else "connection: close"
        self._transport.write(f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{framing}\r\n\r\n".encode())

    def write(self, raw: bytes) -> None:
        """Send a part of the body, as a chunk of its own."""
        self._transport.write(b"%x\r\n%b\r\n" % (len(raw), raw) if self._chunked else raw)

    def end(self) -> None:
        """End the body in good order."""
        if self._chunked:
            self._transport.write(b"0\r\n\r\n")
        else:
            self.hang_up()

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection, after what was written, or by a reset."""
        if not self.closed.is_set():
            self.closed_by_client = False
            if reset:
                # A linger of 0 s is how TCP is told to reset.
                linger = struct.pack("ii", 1, 0)
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.close()

    async def ended(self) -> None:
        """Wait until nothing of it runs any more."""
        await self.closed.wait()
        if self._answering is not None:
            await asyncio.wait([self._answering])
            if not self._answering.cancelled():
                self._answering.result()
