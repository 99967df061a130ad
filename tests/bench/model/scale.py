"""What follows for many viewers: processes, shards, bandwidth, memory. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tests.bench.figures import OURS
from tests.bench.model.costs import HISTORY_PAGE, commands, costs, traffic
from tests.bench.model.events import Load, idle, running, total, turns, visits
from tests.bench.model.sizes import Text


@dataclass(frozen=True)
class Assumed:
    """How people use it. Each viewer has a session of its own."""

    running: float = 0.1
    """The share of the viewers for whom an answer is being written."""
    per_s: float = 30.0
    """Chunks per second of such an answer."""
    chunks: int = 600
    """Of an answer."""
    earlier: int = 3
    """Answers of the session that a prompt finds."""
    visit_s: float = 600.0
    """How long a connection stands."""
    ceiling: float = 0.7
    """How much of its core a process uses, Redis too."""
    viewers_max: int = 5_000
    running_max: int = 500
    """Both of one process, the defaults of `REJOIN_VIEWERS_MAX` and `REJOIN_RUNNING_MAX`."""


class Measured(NamedTuple):
    """What one machine takes, by `docs/bench.json`."""

    generate_us: float
    """CPU of generate-stream per chunk."""
    consume_us: float
    """CPU of consume-stream per delivered chunk."""
    idle_us: float
    """CPU of consume-stream per second and viewer who waits."""
    viewer_kb: float
    """Memory of consume-stream per viewer."""
    chunk_us: float
    """CPU of Redis per chunk: its append, its nudge, one read."""
    read_us: float
    """CPU of Redis per further read."""
    entry_b: float
    """Memory of Redis per entry."""
    meta_b: float


class Needs(NamedTuple):
    """For some number of viewers."""

    delivered_per_s: float
    prompts_per_s: float
    commands_per_s: float
    into_gbit: float
    out_gbit: float
    viewers_gbit: float
    generate_cores: float
    generate: int
    consume_cores: float
    consume: int
    consume_gb: float
    redis_cores: float
    shards: int
    memory_gb: float
    """Of Redis, for each hour that a session is kept and the load lasts."""


def measured(bench: Mapping[str, Any], idle_viewers: int) -> Measured:
    """What the model needs of a run of the bench; `idle_viewers` is how many wait in W4. Raises KeyError."""
    ours = {(each["work"], each["figure"]): each["median"].get(OURS) for each in bench["figures"]}
    return Measured(
        generate_us=ours["W6", "CPU per chunk"],
        consume_us=ours["W1", "CPU per chunk"],
        idle_us=1e6 * ours["W4", "CPU"] / idle_viewers,
        viewer_kb=ours["W4", "memory per viewer"],
        chunk_us=ours["cost", "Redis' CPU per chunk, many sessions"],
        read_us=ours["cost", "Redis' CPU per chunk, many viewers"],
        entry_b=ours["cost", "Redis' memory per entry"],
        meta_b=ours["cost", "Redis' memory per meta"],
    )


def needs(viewers: int, per: Measured, assumed: Assumed) -> Needs:
    """What so many viewers need, every chunk leaving alone: the upper bound."""
    write = Load(viewers * assumed.running, 1, assumed.per_s, consume=0, generate=0)
    chunks = write.sessions * write.per_s
    prompts, joins = chunks / assumed.chunks, viewers / assumed.visit_s
    generate_cores = chunks * per.generate_us / 1e6
    consume_cores = (chunks * per.consume_us + viewers * per.idle_us) / 1e6
    generate = _processes(generate_cores, write.sessions / assumed.running_max, assumed)
    consume = _processes(consume_cores, viewers / assumed.viewers_max, assumed)
    load = Load(write.sessions, 1, assumed.per_s, consume=consume, generate=generate)
    history = {"history": prompts, "history page": prompts * assumed.earlier * assumed.chunks / HISTORY_PAGE}
    asked = total(turns(Load(prompts, 1, 0)), history)
    second = total(
        running(load, 1), asked, visits(Load(joins, 1, 0)), idle(replace(load, sessions=viewers), viewers, 1)
    )
    each = costs(Text())
    bits = [8 * way / 1e9 for way in traffic(second, each)]
    redis_cores = (chunks * per.chunk_us + second["recheck"] * per.read_us) / 1e6
    return Needs(
        delivered_per_s=chunks, prompts_per_s=prompts, commands_per_s=commands(second, each).total(),
        into_gbit=bits[0], out_gbit=bits[1], viewers_gbit=bits[2],
        generate_cores=generate_cores, generate=generate, consume_cores=consume_cores, consume=consume,
        consume_gb=viewers * per.viewer_kb / 1e6, redis_cores=redis_cores,
        shards=math.ceil(redis_cores / assumed.ceiling),
        memory_gb=3600 * prompts * (per.meta_b + (assumed.chunks + 2) * per.entry_b) / 1e9,
    )  # fmt: skip


def viewers_of_one_redis(per: Measured, assumed: Assumed) -> int:
    """How many viewers a Redis has time for, in round hundreds."""
    many = 1_000_000
    return int(many * assumed.ceiling / needs(many, per, assumed).redis_cores) // 100 * 100


def _processes(cores: float, full: float, assumed: Assumed) -> int:
    return math.ceil(max(cores / assumed.ceiling, full))
