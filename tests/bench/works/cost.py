"""The cost model against the services: what whole answers and visits take at Redis, and what stays there."""

import time
from contextlib import closing
from dataclasses import replace

from shared import keys
from tests.bench.bounds import LOAD, MODEL
from tests.bench.counted import RedisCounts
from tests.bench.figures import OURS
from tests.bench.model.costs import commands, costs, traffic
from tests.bench.model.events import Events, Load, first_answers, idle, total, visits
from tests.bench.model.sizes import Text
from tests.bench.rig import Rig
from tests.bench.stage import Ran, Stage
from tests.bench.stamps import chunk
from tests.processes import until

MANY_SESSIONS, MANY_VIEWERS = "many sessions", "many viewers"
_SHAPES = {MANY_SESSIONS: Load(60, 1, 30), MANY_VIEWERS: Load(1, 200, 20)}
"""Calm enough that nearly every chunk leaves alone."""
_VISITED = Load(100, 2, 0)
_KEPT = Load(1, 1, 500)
_KEPT_CHUNKS = 2_000
_LEFT_WITHIN_S = 30.0
_COMPARED = (
    ("Redis commands per chunk", ""), ("bytes into Redis per chunk", "B"), ("bytes out of Redis per chunk", "B"),
    ("bytes to viewers per chunk", "B"),
)  # fmt: skip

Samples = dict[tuple[str, str], dict[str, float]]
"""One window: by figure and unit, of each."""


async def cost(rig: Rig) -> None:
    """Visits to what is written, many sessions with a viewer each, one session with many viewers, one long answer."""
    with closing(RedisCounts(rig.redis_url)) as counts:
        stage = await Stage.open(rig, counts)
        await _visits(rig, stage, counts)
        for name, load in _SHAPES.items():
            sized = replace(load, sessions=rig.size.of(int(load.sessions)), viewers=rig.size.of(int(load.viewers)))
            await _shape(rig, stage, name, sized)
        await _memory(rig, stage, counts)


async def _shape(rig: Rig, stage: Stage, name: str, load: Load) -> None:
    chunks = round(load.per_s * rig.size.window_s)
    windows: list[Samples] = []
    for _ in range(rig.size.windows):
        rig.tell(name)
        windows.append(_samples(load, chunks, await stage.run(load, chunks)))
    for figure, unit in windows[0]:
        each = [window[figure, unit] for window in windows]
        rig.figure(f"{figure}, {name}", unit, {of: [one[of] for one in each] for of in each[0]})


def _samples(load: Load, chunks: int, ran: Ran) -> Samples:
    """Measured; by the model, with appends and reads as counted; and by the model from the load alone."""
    delivered = load.sessions * load.viewers * chunks
    expected = first_answers(load, chunks, ran.seconds)
    counted = _as_counted(expected, ran.counters)
    # What gathers while an append is in flight is one entry.
    gathered = round(len(chunk()) * load.sessions * chunks / counted["chunk"])
    alone = costs(Text(ran.session, chunk(), ran.prompt))
    ways = {OURS: (ran.redis.commands.total(), ran.redis.into, ran.redis.out, ran.to_viewers)}
    together = costs(Text(ran.session, "c" * gathered, ran.prompt))
    for name, events, each in ((MODEL, counted, together), (LOAD, expected, alone)):
        ways[name] = (commands(events, each).total(), *traffic(events, each))
    found = {name: {of: way[at] / delivered for of, way in ways.items()} for at, name in enumerate(_COMPARED)}
    known = commands(counted, together)
    apart = sum(abs(ran.redis.commands[each] - known[each]) for each in ran.redis.commands | known)
    found["Redis commands that the model has otherwise", ""] = {OURS: apart / known.total()}
    found["Redis' CPU per chunk", "µs"] = {OURS: 1e6 * ran.redis_cpu_s / delivered}
    return found


def _as_counted(expected: Events, counters: dict[str, float]) -> Events:
    appends = counters["rejoin_appends_total"] - expected["beat"]
    return expected | {
        "append": appends,
        "chunk": counters["rejoin_appended_entries_total"] - expected["end"],
        "nudge": expected["start"] + appends,
        "read": counters["rejoin_group_reads_total"] - expected["recheck"],
        "chunk read": counters["rejoin_entries_read_total"] - expected["started read"] - expected["end read"],
        "resume": counters["rejoin_resumes_total"],
    }


async def _visits(rig: Rig, stage: Stage, counts: RedisCounts) -> None:
    """Viewers join what is written, read it in one go, and leave."""
    rig.tell("visits")
    load = replace(_VISITED, sessions=rig.size.of(int(_VISITED.sessions)))
    writer, viewers, people = rig.generator("writer"), rig.generator("viewers"), int(load.sessions * load.viewers)
    await writer.ask("open", prefix="bench-visited", sessions=load.sessions)
    events, each = visits(load), costs(Text())
    due = commands(events, each)
    before, begun = counts.now(), time.monotonic()
    # A storm waits for everybody's first frame: who leaves before has read nothing.
    told = {"prefix": "bench-visited", "sessions": load.sessions, "each": load.viewers, "storm_s": rig.size.settle_s}
    joined = await viewers.ask("join", base=stage.consume.url, **told)
    if joined["refused"]:
        rig.fault(OURS, f"{joined['refused']} connections refused")
    await rig.end(viewers)

    async def all_left() -> bool:
        came = counts.now().since(before).commands
        return all(came[name] >= due[name] for name in ("xgroup", "unsubscribe"))

    await until(all_left, _LEFT_WITHIN_S, every_s=0.1)
    events = total(events, idle(load, 0, time.monotonic() - begun))
    found = {OURS: counts.now().since(before).commands, MODEL: commands(events, each)}
    rig.figure("Redis commands per visit", "", {of: [came.total() / people] for of, came in found.items()})


async def _memory(rig: Rig, stage: Stage, counts: RedisCounts) -> None:
    """What one answer of many small entries leaves in Redis."""
    rig.tell("one long answer")
    session = (await stage.run(_KEPT, rig.size.of(_KEPT_CHUNKS))).session
    log, meta = keys.log(session), keys.meta(session)
    rig.figure("Redis' memory per entry", "B", {OURS: [counts.memory(log) / counts.entries(log)]})
    rig.figure("Redis' memory per meta", "B", {OURS: [float(counts.memory(meta))]})
