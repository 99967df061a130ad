"""What every work stands on: a Redis of its own, the processes that take part, and the size of the run."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from deploy.leash import Leash
from deploy.redis_server import RedisServer
from tests.bench.cpu import cpu_s, machine_s
from tests.bench.figures import AS_WRITTEN, FLOOR, OURS, Figure
from tests.bench.process import Process

SERVERS = {OURS: "services.consume_stream", AS_WRITTEN: "tests.bench.as_written", FLOOR: "tests.bench.floor"}
_NO_LIMITS = {"REJOIN_VIEWERS_MAX": "20000", "REJOIN_VIEWERS_PER_SESSION_MAX": "20000"}


@dataclass(frozen=True)
class Size:
    """How much of everything: the whole for figures, or just enough to see that it works."""

    windows: int
    window_s: float
    settle_s: float
    share: float
    """Of the sessions, viewers and chunks that a work names."""

    def of(self, whole: int) -> int:
        """This run's part of a number."""
        return max(1, round(whole * self.share))


FULL = Size(windows=5, window_s=4.0, settle_s=1.0, share=1.0)
QUICK = Size(windows=1, window_s=0.8, settle_s=0.2, share=0.05)


@dataclass
class Found:
    """What all works have found so far."""

    figures: list[Figure] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    """Latency and cost over load: a point for each server and rate."""
    generators: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    """Of each work's load generators the worst window: share of a core, lateness."""
    others: list[float] = field(default_factory=list)
    """Of each window, how many cores other programs of the machine used meanwhile."""
    remarks: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What no load excuses: chunks that never came, connections refused."""


class Rig:
    """A place for one run. `clear` after each work ends its processes and empties Redis."""

    def __init__(self, leash: Leash, server: RedisServer, port: int, size: Size, tell: Callable[[str], None]) -> None:
        self.size = size
        self.found = Found()
        self.redis_port = port
        self.redis_url = f"redis://127.0.0.1:{port}/0"
        self.tell = tell
        """Says what is being done."""
        self.work = ""
        self._leash = leash
        self._redis = server
        self._processes: list[Process] = []

    async def server(self, kind: str, redis_url: str = "") -> Process:
        """One of the three that serve viewers."""
        return await self._start(SERVERS[kind], _NO_LIMITS | {"REDIS_URL": redis_url or self.redis_url}).listening()

    async def generate(self, provider: str, redis_url: str = "") -> Process:
        """A process of generate-stream with one provider."""
        vendor = {"OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": f"{provider}/v1", "OPENAI_MODEL": "bench"}
        environ = vendor | {"REDIS_URL": redis_url or self.redis_url}
        return await self._start("services.generate_stream", environ).listening()

    def generator(self, name: str) -> Process:
        """A load generator: a module beside this one."""
        return self._start(f"tests.bench.{name}", {"REDIS_URL": self.redis_url})

    @property
    def redis_cpu_s(self) -> float:
        """The CPU time that Redis has used so far."""
        return cpu_s(self._redis.process.pid)

    @property
    def others_cpu_s(self) -> float:
        """The CPU time that the machine has used so far for anything but this bench."""
        return machine_s() - sum(each.cpu_s for each in self._processes) - self.redis_cpu_s - cpu_s()

    @property
    def redis_version(self) -> str:
        """Such as 7.0.15."""
        return self._redis.version

    def figure(self, name: str, unit: str, samples: dict[str, list[float]]) -> None:
        """Keep what the work at hand has measured."""
        self.found.figures.append(Figure(self.work, name, unit, samples))

    def generator_cost(self, name: str, told: dict[str, Any]) -> None:
        """Keep what a load generator has said of itself, if it is the worst so far."""
        worst = self.found.generators.setdefault((self.work, name), {})
        for fact in ("core", "late_p99_ms", "written_late_p99_ms"):
            if fact in told:
                worst[fact] = max(worst.get(fact, 0.0), told[fact])

    def fault(self, kind: str, what: str) -> None:
        """Keep what no load excuses: in ours it breaks the work, in a baseline it is remarked."""
        kept = self.found.broken if kind == OURS else self.found.remarks
        kept.append(f"{self.work}, {kind}: {what}")

    async def end(self, *processes: Process) -> None:
        """End some processes before the work is over."""
        self._processes = [each for each in self._processes if each not in processes]
        await asyncio.gather(*(each.close() for each in processes))

    async def clear(self) -> None:
        """End what the work has started, and leave Redis empty."""
        await self.end(*self._processes)
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def _start(self, module: str, environ: dict[str, str]) -> Process:
        log = Path(self._redis.directory) / f"{module.rpartition('.')[2]}.log"
        process = Process(self._leash, log, module, environ)
        self._processes.append(process)
        return process
