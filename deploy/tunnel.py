"""Tunnel: a connection that is to become a WebSocket, handed through to a service, byte by byte both ways."""

import asyncio
import logging
from typing import Any, cast

from uvicorn import Config
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from shared.intake import answer
from shared.logs import warning
from shared.unsent import FLUSH_S

_log = logging.getLogger(__name__)

_CONNECT_S = 5.0


class _Side(asyncio.Protocol):
    """One of its two connections. What comes in leaves by the other, which is heard again when that has been taken; and
    when it ends, the other ends: a cut stays a cut.
    """

    transport: asyncio.Transport
    other: "_Side"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def pause_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.other.transport.is_closing():
            self.other.end()

    def end(self) -> None:
        """Close it; what has been written still leaves, if the peer takes it soon."""
        self.transport.close()
        asyncio.get_running_loop().call_later(FLUSH_S, self.transport.abort)


class Tunnel(_Side):
    """The client's side, to whom uvicorn gives the connection, and the request's head as the first that comes in."""

    def __init__(self, port: int, *, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        del config, app_state
        self._port = port
        self._state = server_state
        self._is_connected = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._state.connections.add(cast(Any, self))

    def data_received(self, data: bytes) -> None:
        if self._is_connected:
            super().data_received(data)
            return
        # A client says nothing before it is answered.
        self.transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._connect(data))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(cast(Any, self))
        if self._is_connected:
            super().connection_lost(exc)

    def shutdown(self) -> None:
        """End it: the server does."""
        self.end()

    async def _connect(self, head: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, self.other = await loop.create_connection(_Side, "127.0.0.1", self._port)
        except OSError as error:
            warning(_log, "a service is out of reach", path="/api/consume-stream", cause=repr(error))
            message = "The service behind this address is out of reach."
            self.transport.write(answer(502, "bad_gateway", message, [(b"retry-after", b"1")]))
            self.transport.close()
            return
        self.other.other, self._is_connected = self, True
        if self.transport.is_closing():
            self.other.end()
            return
        self.other.transport.write(head.removesuffix(b"\r\n") + self._told(head) + b"\r\n")
        self.transport.resume_reading()

    def _told(self, head: bytes) -> bytes:
        """Who asks, after those whom the request names already; and how, unless who stands before us has said it."""
        client = get_remote_addr(self.transport)
        lines = [f"x-forwarded-for: {client[0]}\r\n".encode()] if client else []
        if b"\r\nx-forwarded-proto:" not in head:
            lines.append(b"x-forwarded-proto: http\r\n")
        return b"".join(lines)
