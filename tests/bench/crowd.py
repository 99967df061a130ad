"""A crowd of viewers: raw SSE connections, and what they count together."""

import asyncio
import time
from typing import cast
from urllib.parse import urlsplit

from tests.bench.figures import quantiles
from tests.bench.stamps import now_us, stamps

_ENDS = (b'"status":"completed"', b'"status": "completed"')
"""How the last entry looks, ours and by Python's own json.dumps."""


class Crowd:
    """What all viewers count together."""

    def __init__(self) -> None:
        self.chunks = 0
        """Since the beginning."""
        self.lost = 0
        self.late_us: list[int] = []
        self.reads = self.bytes = 0

    def mark(self) -> None:
        """Begin to count how late chunks are."""
        self.late_us, self.reads, self.bytes = [], 0, 0

    def took(self, received: bytes) -> None:
        """Count what came at one moment."""
        now, came = now_us(), stamps(received)
        self.late_us += [now - stamp for stamp in came]
        self.chunks += len(came)
        self.reads += 1
        self.bytes += len(received)

    def report(self) -> dict[str, float]:
        """The figures since the mark."""
        late = {f"{name}_ms": value / 1000 for name, value in quantiles(self.late_us).items()}
        return {"chunks": len(self.late_us), "reads": self.reads, "bytes": self.bytes} | late


class Connection(asyncio.Protocol):
    """One SSE request. `head` tells the status, 0 for a connection that broke before it."""

    def __init__(self, request: bytes) -> None:
        self.head: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.first_frame: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When the first event came, by the monotonic clock: a comment or a response's head is none."""
        self.closed_by_us = False
        self.transport: asyncio.Transport
        self._request = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.head.done():
            self.head.set_result(int(data[9:12]))
        if not self.first_frame.done() and b"data:" in data:
            self.first_frame.set_result(time.monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.head.done():
            self.head.set_result(0)
        if not self.first_frame.done():
            self.first_frame.cancel()

    def close(self) -> None:
        """Leave."""
        self.closed_by_us = True
        self.transport.abort()


class Viewer(Connection):
    """A viewer who stays; what it gets is counted, not kept."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        super().__init__(request)
        self._crowd = crowd
        self._tail = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A stamp may lie across two reads: what follows the last line end waits for its rest.
        whole, line_end, self._tail = (self._tail + data).rpartition(b"\n")
        self._crowd.took(whole + line_end)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._crowd.lost += not self.closed_by_us


class Reader(Connection):
    """A viewer of a finished answer: reads to its last entry and leaves."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self.bytes = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tail = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.bytes += len(data)
        # The mark of the end may lie across two reads.
        seen, self._tail = self._tail + data, data[-64:]
        if not self.ended.done() and any(end in seen for end in _ENDS):
            self.ended.set_result(None)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("it ended before the end of the answer"))


def request_for(base: str, session: str, follow: str) -> bytes:
    """What a browser asks for."""
    path = f"/api/consume-stream?sessionId={session}&follow={follow}"
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(base).netloc}\r\nAccept: text/event-stream\r\n\r\n".encode()
