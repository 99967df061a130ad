"""A load generator: a provider that speaks Chat Completions at a steady rate, and costs as little as it can.

    BENCH_CONTROL_FD=… REJOIN_PORT=… python -m tests.bench.upstream

What a request wants stands in its last message, see `asked`. Each chunk is stamped when it leaves; the first one also
tells when the request had come.
"""

import asyncio
import json
import os
from typing import Any, cast

import uvloop

from tests.bench.control import obey
from tests.bench.cpu import OwnCost
from tests.bench.figures import quantiles
from tests.bench.stamps import chunk, now_us

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_OBJECT = '{"id":"bench","object":"chat.completion.chunk","created":1767225600,"model":"bench","choices":['
_DELTA = "data: " + _OBJECT + '{"index":0,"delta":{"content":"%s"},"finish_reason":null}]}\n\n'
_END = (
    "data: " + _OBJECT + '{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    "data: " + _OBJECT + '],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\n'
    "data: [DONE]\n\n"
)


def asked(chunks: int, per_s: float, first_s: float) -> str:
    """The prompt that asks for so many chunks at a rate, the first after a while."""
    return json.dumps({"chunks": chunks, "per_s": per_s, "first_s": first_s})


class Upstream:
    """What all streams count together; what it is told is its commands."""

    def __init__(self) -> None:
        self.chunks = self.open = 0
        self.late_ms: list[float] = []
        self._cost = OwnCost()

    async def mark(self) -> dict[str, Any]:
        """Begin to count."""
        self.chunks, self.late_ms = 0, []
        self._cost.mark()
        return {}

    async def report(self) -> dict[str, Any]:
        """Chunks since the mark, how late they left, and how many streams are open."""
        late = quantiles(self.late_ms)["p99"]
        return {"chunks": self.chunks, "open": self.open, "written_late_p99_ms": late} | self._cost.report()


class Stream(asyncio.Protocol):
    """One connection of a client, and the answers on it, one after the other."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._received = b""
        self._next: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not blank or len(body) < int(length or 0):
            return
        self._received = b""
        self._transport.write(_HEAD)
        self._upstream.open += 1
        wanted = json.loads(json.loads(body)["messages"][-1]["content"])
        begun = asyncio.get_running_loop().time() + wanted["first_s"]
        self._say_at(begun, 0, wanted["chunks"], 1 / wanted["per_s"], f"^{now_us()};")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next:
            self._next.cancel()
            self._upstream.open -= 1

    def _say_at(self, due: float, number: int, chunks: int, every_s: float, first: str = "") -> None:
        loop = asyncio.get_running_loop()

        def say() -> None:
            self._upstream.late_ms.append((loop.time() - due) * 1000)
            if number == chunks:
                self._write(_END)
                self._transport.write(b"0\r\n\r\n")
                self._next = None
                self._upstream.open -= 1
                return
            self._write(_DELTA % (chunk() + first))
            self._upstream.chunks += 1
            self._say_at(due + every_s, number + 1, chunks, every_s)

        self._next = loop.call_at(due, say)

    def _write(self, text: str) -> None:
        self._transport.write(f"{len(text):x}\r\n{text}\r\n".encode())


async def main() -> None:
    """Listen, and obey the bench."""
    upstream = Upstream()
    port = int(os.environ["REJOIN_PORT"])
    await asyncio.get_running_loop().create_server(lambda: Stream(upstream), "127.0.0.1", port, backlog=1024)
    await obey({"mark": upstream.mark, "report": upstream.report})


if __name__ == "__main__":
    uvloop.run(main())
