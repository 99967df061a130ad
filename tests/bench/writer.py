"""A load generator: appends to many logs at a steady rate, as an outside writer does.

    BENCH_CONTROL_FD=… REDIS_URL=… python -m tests.bench.writer

Each chunk is one XADD and one PUBLISH in one write, the chunks of all sessions spread evenly over the time.
"""

import asyncio
import os
import time
from typing import Any

import uvloop

from shared import keys
from shared.wire import Wire, pack
from tests.bench.control import obey
from tests.bench.cpu import OwnCost
from tests.bench.figures import quantiles
from tests.bench.stamps import chunk
from tests.connections import connector

_TICK_S = 0.001
_ANSWER_BATCH = 500
_STARTED = ("type", "metadata", "status", "started", "generation", "1", "attempt", "1", "prompt", "bench")
_COMPLETED = ("type", "metadata", "status", "completed", "generation", "1", "finishReason", "stop")


class Writer:
    """Writes to the logs that it has opened; what it is told is its commands."""

    def __init__(self, url: str) -> None:
        self._wire = Wire(connector(url, "bench-writer"), 30)
        self._cost = OwnCost()
        self._logs: list[str] = []
        self._chunks = 0
        self._late_ms: list[float] = []
        self._writing: asyncio.Task[None] | None = None

    async def open(self, prefix: str, sessions: int) -> dict[str, Any]:
        """Begin an answer in each of so many sessions."""
        self._logs = [keys.log(f"{prefix}-{number:05}") for number in range(sessions)]
        await asyncio.gather(*(self._wire.call("XADD", log, "*", *_STARTED) for log in self._logs))
        return {}

    async def pace(self, per_s: float) -> dict[str, Any]:
        """Append so many chunks per second to each log from now on; 0 is silence."""
        if self._writing:
            self._writing.cancel()
        self._cost.mark()
        self._late_ms = []
        self._writing = asyncio.create_task(self._write(1 / (per_s * len(self._logs)))) if per_s else None
        return {}

    async def written(self) -> dict[str, Any]:
        """How many chunks so far, all of them in Redis; and what the writing cost since the pace was set."""
        await self._wire.call("PING")
        return {"chunks": self._chunks, "written_late_p99_ms": quantiles(self._late_ms)["p99"]} | self._cost.report()

    async def answer(self, session: str, chunks: int, characters: int) -> dict[str, Any]:
        """Write one answer whole, its end too."""
        log, content = keys.log(session), "x" * characters
        await self._wire.call("XADD", log, "*", *_STARTED)
        packed = pack("XADD", log, "*", "type", "chunk", "generation", "1", "content", content, "ms", "1")
        for at in range(0, chunks, _ANSWER_BATCH):
            await asyncio.gather(*(self._wire.send(packed) for _ in range(min(_ANSWER_BATCH, chunks - at))))
        await self._wire.call("XADD", log, "*", *_COMPLETED)
        return {}

    async def _write(self, every_s: float) -> None:
        begun, written = time.monotonic(), 0
        while True:
            now = time.monotonic()
            for number in range(written, int((now - begun) / every_s)):
                self._append(self._logs[number % len(self._logs)])
                self._late_ms.append((now - begun - number * every_s) * 1000)
                written += 1
            await asyncio.sleep(_TICK_S)

    def _append(self, log: str) -> None:
        fields = ("type", "chunk", "generation", "1", "content", chunk(), "ms", "1")
        self._wire.send(pack("XADD", log, "*", *fields))
        self._wire.send(pack("PUBLISH", log, ""))
        self._chunks += 1


async def main() -> None:
    """Obey the bench."""
    writer = Writer(os.environ["REDIS_URL"])
    await obey({"open": writer.open, "pace": writer.pace, "written": writer.written, "answer": writer.answer})


if __name__ == "__main__":
    uvloop.run(main())
