"""W4: viewers who wait on sessions in which nothing happens."""

import asyncio

from tests.bench.figures import AS_WRITTEN, FLOOR, OURS
from tests.bench.lane import Lane
from tests.bench.rig import Rig

VIEWERS = 5_000
_WINDOWS_LONG = 4
"""Idle costs come in beats, up to the ping's 15 s: a window must hold some."""


async def idle(rig: Rig) -> None:
    """W4: 5,000 viewers on 5,000 sessions."""
    viewers, seconds = rig.size.of(VIEWERS), rig.size.window_s * _WINDOWS_LONG
    memory: dict[str, list[float]] = {}
    core: dict[str, list[float]] = {}
    redis: dict[str, list[float]] = {}
    for kind in (OURS, AS_WRITTEN, FLOOR):
        rig.tell(kind)
        # The first viewers bring what the process needs once.
        first = await Lane.open(rig, kind, 10, 1)
        empty = first.server.memory_kb
        await first.writer.ask("open", prefix="bench-idle", sessions=viewers) if kind != FLOOR else None
        base = first.server.url
        told = await first.viewers.ask("join", base=base, prefix="bench-idle", sessions=viewers, each=1, within_s=300)
        if told["refused"]:
            rig.fault(kind, f"{told['refused']} connections refused")
        await asyncio.sleep(rig.size.settle_s)
        memory[kind] = [(first.server.memory_kb - empty) / viewers]
        before, redis_before = first.server.cpu_s, rig.redis_cpu_s
        await asyncio.sleep(seconds)
        core[kind] = [(first.server.cpu_s - before) / seconds]
        redis[kind] = [(rig.redis_cpu_s - redis_before) / seconds]
        if kind == OURS:
            rig.figure("Redis connections", "", {OURS: [float(first.server.connections_to(rig.redis_port))]})
        await first.close()
    rig.figure("memory per viewer", "KB", memory)
    rig.figure("CPU", "cores", core)
    rig.figure("Redis' CPU", "cores", {kind: redis[kind] for kind in (OURS, AS_WRITTEN)})
