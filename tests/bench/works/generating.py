"""W6: generations by the real SDK; what they cost, and what a Redis far away does to them."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio as redis

from shared import keys
from tests.bench.bounds import SDK
from tests.bench.figures import AS_WRITTEN, OURS
from tests.bench.process import Process
from tests.bench.rig import Rig
from tests.bench.stamps import stamps
from tests.bench.upstream import asked
from tests.processes import until

_STREAMS = 100
_PER_S = 50
_DELAY_S = 0.05
_OVER_WITHIN_S = 60.0


async def generating(rig: Rig) -> None:
    """W6: 100 generations × 50 chunks/s in one process, beside the SDK alone and the blog form.

    Whole answers are measured, from the first prompt to the last entry, and every chunk is counted where it arrived:
    who falls behind has its work still to do, and would seem cheap by the chunks that it was only offered.
    """
    upstream, prompts = await rig.generator("upstream").listening(), rig.generator("prompts")
    generate, alone, written = await rig.generate(upstream.url), rig.generator("draining"), rig.generator("draining")
    streams, wanted = rig.size.of(_STREAMS), _prompt(rig)

    async def ours() -> int:
        prefix = _prefix()
        await prompts.ask("start", generate=generate.url, prefix=prefix, sessions=streams, prompt=wanted)
        return await _written(rig, [f"{prefix}-{number:05}" for number in range(streams)])

    async def drained(process: Process, *, append: bool) -> int:
        await process.ask("drain", base=upstream.url, streams=streams, prompt=wanted, append=append)
        return int((await process.ask("finished", within_s=_OVER_WITHIN_S))["chunks"])

    takers: dict[str, tuple[Process, Callable[[], Awaitable[int]]]] = {
        OURS: (generate, ours),
        AS_WRITTEN: (written, lambda: drained(written, append=True)),
        SDK: (alone, lambda: drained(alone, append=False)),
    }
    costs: dict[str, list[float]] = {kind: [] for kind in takers}
    for _ in range(rig.size.windows):
        for kind, (process, take) in takers.items():
            rig.tell(kind)
            await upstream.ask("mark")
            before, others, begun = process.cpu_s, rig.others_cpu_s, time.monotonic()
            taken = await take()
            costs[kind].append(1e6 * (process.cpu_s - before) / max(1, taken))
            rig.found.others.append((rig.others_cpu_s - others) / (time.monotonic() - begun))
            offered = await upstream.ask("report")
            rig.generator_cost("upstream", offered)
            if taken != offered["chunks"]:
                rig.fault(kind, f"{offered['chunks']} chunks were offered, {taken} arrived")
    rig.figure("CPU per chunk", "µs", costs)


async def generating_far_from_redis(rig: Rig) -> None:
    """W6 with every reply of Redis 50 ms late: the provider is still read at full speed, viewers lag a little.

    At the nominal rate, or at the one at which the SDK alone fills half of its core, whichever is lower: in a process
    that is full of the SDK's own work, lateness says nothing of Redis.
    """
    upstream, prompts = await rig.generator("upstream").listening(), rig.generator("prompts")
    per_s = min(_PER_S, 0.5 * await _fills_its_core(rig, upstream))
    rig.found.remarks.append(f"{rig.work}: {rig.size.of(_STREAMS)} generations × {per_s:.0f} chunks/s")
    far, viewers = rig.generator("far_redis"), rig.generator("viewers")
    url = (await far.ask("open", redis_url=rig.redis_url, delay_s=_DELAY_S))["url"]
    generate, consume = await rig.generate(upstream.url, url), await rig.server(OURS, url)
    streams = rig.size.of(_STREAMS)
    lag: dict[str, list[float]] = {"p50": [], "p99": []}
    slowed: list[float] = []
    for _ in range(rig.size.windows):
        rig.tell(f"{streams} generations")
        # New sessions each time: behind a slow Redis an answer is over later than its provider.
        prefix = _prefix()
        joined = await viewers.ask("join", base=consume.url, prefix=prefix, sessions=streams, each=1)
        if joined["refused"]:
            rig.fault(OURS, f"{joined['refused']} connections refused")
        wanted = _prompt(rig, per_s)
        await prompts.ask("start", generate=generate.url, prefix=prefix, sessions=streams, prompt=wanted)
        await asyncio.sleep(rig.size.settle_s)
        await viewers.ask("mark")
        await upstream.ask("mark")
        await asyncio.sleep(rig.size.window_s)
        told, offered = await viewers.ask("report"), await upstream.ask("report")
        rig.generator_cost("viewers", told)
        rig.generator_cost("upstream", offered)
        slowed.append(streams * per_s * told["seconds"] / max(1, told["chunks"]))
        for name, samples in lag.items():
            samples.append(told[f"{name}_ms"])
        await _over(upstream)
    for name, samples in lag.items():
        rig.figure(name, "ms", {OURS: samples})
    rig.figure("provider slowed down", "×", {OURS: slowed})


async def _written(rig: Rig, sessions: list[str]) -> int:
    """Wait until the answers of all these sessions have their end in Redis; how many chunks are in their logs."""
    async with redis.Redis.from_url(rig.redis_url) as client:

        async def all_ended() -> bool:
            status = [await client.hget(keys.meta(session), "status") for session in sessions]
            return set(status) == {b"completed"}

        await until(all_ended, _OVER_WITHIN_S, every_s=0.5)
        logs: list[Any] = [await client.xrange(keys.log(session)) for session in sessions]
    return sum(len(stamps(fields.get(b"content", b""))) for log in logs for _, fields in log)


async def _over(upstream: Process) -> None:
    """Wait until every stream has had its end."""

    async def none_open() -> bool:
        return not (await upstream.ask("report"))["open"]

    await until(none_open, _OVER_WITHIN_S, every_s=0.1)


async def _fills_its_core(rig: Rig, upstream: Process) -> float:
    """The rate per stream at which the SDK alone would use all of a core, from what it costs at a quarter of W6."""
    alone, streams = rig.generator("draining"), rig.size.of(_STREAMS)
    rig.tell(SDK)

    async def drained() -> int:
        wanted = _prompt(rig, _PER_S / 4)
        await alone.ask("drain", base=upstream.url, streams=streams, prompt=wanted, append=False)
        return int((await alone.ask("finished", within_s=_OVER_WITHIN_S))["chunks"])

    await drained()  # what the SDK loads at its first request is no cost of a chunk
    before = alone.cpu_s
    chunks = await drained()
    cost_us = 1e6 * (alone.cpu_s - before) / max(1, chunks)
    await rig.end(alone)
    return 1e6 / max(1.0, cost_us) / streams


def _prompt(rig: Rig, per_s: float = _PER_S) -> str:
    seconds = 2 * rig.size.settle_s + rig.size.window_s + 1
    return asked(chunks=round(per_s * seconds), per_s=per_s, first_s=0.05)


def _prefix() -> str:
    return f"bench-{secrets.token_hex(4)}"
