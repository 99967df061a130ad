"""One side of a connection through the proxy, and the faults that it meets."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter, deque
from typing import Literal

Direction = Literal["requests", "replies"]


class Faults(ABC):
    """What happens to all that passes, and to whom: the state that the proxy's connections share."""

    def __init__(self) -> None:
        self.bytes: Counter[Direction] = Counter()
        """How many bytes have arrived here so far, whatever became of them."""
        self.delay_s = 0.0
        """How long each byte is on its way through, so a round trip takes twice as long. The rate stays."""
        self.held: set[Direction] = set()
        self.dropped: set[Direction] = set()
        self.left: dict[Direction, int] = {}
        """Bytes that still pass before the cut that was asked for."""
        self.ends: set[End] = set()

    @abstractmethod
    def connect(self, client: "End") -> None:
        """Connect a new client with Redis."""


class End(asyncio.Protocol):
    """One side of a connection through the proxy; what it receives goes to its peer, the other side."""

    def __init__(self, faults: Faults, direction: Direction, peer: "End | None" = None) -> None:
        self.direction = direction
        self.transport: asyncio.Transport
        self._faults = faults
        self._peer = peer
        self._choked = False
        self._queue: deque[bytes] = deque()
        """What is on its way, in order; empty bytes stand for the end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._faults.ends.add(self)
        if self._peer is None:
            self._faults.connect(self)
        else:
            self._peer._peer = self
            # It may have gone already; then its end waits here to be passed on.
            self._peer.flush()
        self.read_or_not()

    def data_received(self, data: bytes) -> None:
        self._faults.bytes[self.direction] += len(data)
        self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._faults.ends.discard(self)
        self._take(b"")

    def pause_writing(self) -> None:
        self._choke(True)

    def resume_writing(self) -> None:
        self._choke(False)

    def read_or_not(self) -> None:
        """Read while the peer takes what is read."""
        may = self._peer is not None and not self._choked and self.direction not in self._faults.held
        (self.transport.resume_reading if may else self.transport.pause_reading)()

    def flush(self) -> None:
        """Pass on all that waits."""
        while self._queue and self._peer and self.direction not in self._faults.held:
            self._pass()
        self.read_or_not()

    def _choke(self, choked: bool) -> None:
        if self._peer:
            self._peer._choked = choked
            self._peer.read_or_not()

    def _take(self, data: bytes) -> None:
        self._queue.append(data)
        if self._faults.delay_s:
            # One call for each piece, each passes the oldest: the order stays, whatever the clock's resolution.
            asyncio.get_running_loop().call_later(self._faults.delay_s, self._pass)
        else:
            self._pass()

    def _pass(self) -> None:
        if not self._queue or self._peer is None or self.direction in self._faults.held:
            return
        data, to = self._queue.popleft(), self._peer.transport
        if not data:
            to.close()
        elif self.direction not in self._faults.dropped:
            left = self._faults.left.get(self.direction)
            to.write(data[:left])
            if left is not None and len(data) < left:
                self._faults.left[self.direction] = left - len(data)
            elif left is not None:
                del self._faults.left[self.direction]
                # The last bytes still arrive; nothing more does, in either direction.
                to.close()
                self.transport.abort()
