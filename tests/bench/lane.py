"""A lane: one of the three servers with its own sessions, viewers and writer, ready to run at any rate."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from typing import Self

from tests.bench.figures import FLOOR
from tests.bench.process import Process
from tests.bench.rig import Rig
from tests.processes import until

_ALL_THERE_WITHIN_S = 60.0


@dataclass(frozen=True)
class Window:
    """What was measured in one window of time."""

    chunks_per_s: float
    """Delivered, over all viewers."""
    cpu_us: float
    """CPU of the server per delivered chunk."""
    redis_us: float
    """The same of Redis."""
    core: float
    """CPU of the server, as a share of one core."""
    p50_ms: float
    p99_ms: float
    chunks_per_read: float
    """How much came at once: batches grow where the server is behind."""


class Lane:
    """One server at work."""

    def __init__(self, rig: Rig, kind: str, server: Process, viewers: Process, writer: Process, each: int) -> None:
        self.kind = kind
        self.server = server
        self.viewers = viewers
        self.writer = writer
        self._rig = rig
        self._each = each

    @classmethod
    async def open(cls, rig: Rig, kind: str, sessions: int, each: int) -> Self:
        """Start a server and its load generators, with so many viewers on each session."""
        server, viewers = await rig.server(kind), rig.generator("viewers")
        writer = server if kind == FLOOR else rig.generator("writer")
        prefix = f"bench-{secrets.token_hex(4)}"
        if writer is not server:
            await writer.ask("open", prefix=prefix, sessions=sessions)
        joined = await viewers.ask("join", base=server.url, prefix=prefix, sessions=sessions, each=each)
        if joined["refused"]:
            rig.fault(kind, f"{joined['refused']} connections refused")
        return cls(rig, kind, server, viewers, writer, each)

    async def window(self, per_s: float, seconds: float = 0.0) -> Window:
        """Run at so many chunks per second and session; then wait until every chunk has come."""
        rig = self._rig
        rig.tell(f"{self.kind} at {per_s:.3g} chunks/s")
        await self.writer.ask("pace", per_s=per_s)
        await asyncio.sleep(rig.size.settle_s)
        await self.viewers.ask("mark")
        server, redis, others = self.server.cpu_s, rig.redis_cpu_s, rig.others_cpu_s
        await asyncio.sleep(seconds or rig.size.window_s)
        server, redis = self.server.cpu_s - server, rig.redis_cpu_s - redis
        told = await self.viewers.ask("report")
        rig.found.others.append((rig.others_cpu_s - others) / told["seconds"])
        wrote = await self.writer.ask("written")
        rig.generator_cost("viewers", told)
        rig.generator_cost("writer", wrote)
        await self.writer.ask("pace", per_s=0)
        await self.all_there()
        chunks = max(1, told["chunks"])
        return Window(
            chunks_per_s=told["chunks"] / told["seconds"],
            cpu_us=1e6 * server / chunks,
            redis_us=1e6 * redis / chunks,
            core=server / told["seconds"],
            p50_ms=told["p50_ms"],
            p99_ms=told["p99_ms"],
            chunks_per_read=told["chunks"] / max(1, told["reads"]),
        )

    async def all_there(self) -> None:
        """Wait for every chunk at every viewer; what never comes breaks the work."""
        wanted = (await self.writer.ask("written"))["chunks"] * self._each
        told = await self.viewers.ask("report")

        async def come() -> bool:
            nonlocal told
            told = await self.viewers.ask("report")
            return bool(told["all"] >= wanted)

        with contextlib.suppress(TimeoutError):  # counted below
            await until(come, _ALL_THERE_WITHIN_S, every_s=0.05)
        if told["all"] != wanted or told["lost"]:
            what = f"{wanted} chunks were due, {told['all']} came, {told['lost']} connections broke"
            self._rig.fault(self.kind, what)

    async def close(self) -> None:
        """End its processes."""
        await self._rig.end(*{self.viewers, self.writer, self.server})
