"""A stage: both services with a provider and viewers, on which whole answers run while everything is counted."""

import secrets
import time
from dataclasses import dataclass
from typing import Self

from tests.bench.counted import Counted, RedisCounts, metrics
from tests.bench.figures import OURS
from tests.bench.model.events import Load
from tests.bench.process import Process
from tests.bench.rig import Rig
from tests.bench.upstream import asked
from tests.processes import until

_WITHIN_S = 60.0
_FIRST_S = 0.05


@dataclass(frozen=True)
class Ran:
    """What some answers took, from the first prompt to the last chunk at every viewer."""

    session: str
    """One of them."""
    prompt: str
    seconds: float
    redis: Counted
    redis_cpu_s: float
    counters: dict[str, float]
    """Of both services."""
    to_viewers: float
    """Bytes."""


class Stage:
    """Who takes part."""

    def __init__(self, rig: Rig, counts: RedisCounts, upstream: Process, generate: Process, consume: Process) -> None:
        self.consume = consume
        self._rig = rig
        self._counts = counts
        self._upstream = upstream
        self._generate = generate
        self._prompts, self._viewers = rig.generator("prompts"), rig.generator("viewers")

    @classmethod
    async def open(cls, rig: Rig, counts: RedisCounts) -> Self:
        """Start everybody, and let one answer bring what is needed once: the scripts' texts, connections."""
        upstream = await rig.generator("upstream").listening()
        generate, consume = await rig.generate(upstream.url), await rig.server(OURS)
        stage = cls(rig, counts, upstream, generate, consume)
        await stage.run(Load(1, 1, 30), 1)
        return stage

    async def run(self, load: Load, chunks: int) -> Ran:
        """Answers of so many chunks in new sessions, in front of viewers who are there before and stay."""
        prefix, prompt = f"bench-{secrets.token_hex(4)}", asked(chunks, load.per_s, _FIRST_S)
        sessions, each = round(load.sessions), round(load.viewers)
        joined = await self._viewers.ask(
            "join", base=self.consume.url, prefix=prefix, sessions=sessions, each=each, within_s=_WITHIN_S
        )
        if joined["refused"]:
            self._rig.fault(OURS, f"{joined['refused']} connections refused")
        await self._viewers.ask("mark")
        before, redis = await self._counters(), self._counts.now()
        cpu, others, begun = self._rig.redis_cpu_s, self._rig.others_cpu_s, time.monotonic()
        await self._prompts.ask("start", generate=self._generate.url, prefix=prefix, sessions=sessions, prompt=prompt)
        await self._over(sessions * each * chunks)
        seconds, cpu = time.monotonic() - begun, self._rig.redis_cpu_s - cpu
        redis, after = self._counts.now().since(redis), await self._counters()
        self._rig.found.others.append((self._rig.others_cpu_s - others) / seconds)
        told = await self._viewers.ask("report")
        self._rig.generator_cost("viewers", told)
        self._rig.generator_cost("upstream", await self._upstream.ask("report"))
        came = {name: after[name] - before.get(name, 0.0) for name in after}
        return Ran(f"{prefix}-00000", prompt, seconds, redis, cpu, came, told["bytes"])

    async def _over(self, chunks: int) -> None:
        async def over() -> bool:
            running = (await metrics(self._generate.url))["rejoin_generations_running"]
            return not running and bool((await self._viewers.ask("report"))["chunks"] >= chunks)

        await until(over, self._rig.size.window_s + _WITHIN_S, every_s=0.1)

    async def _counters(self) -> dict[str, float]:
        return await metrics(self._generate.url) | await metrics(self.consume.url)
