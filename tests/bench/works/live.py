"""W1 and W2: live answers, many sessions with one viewer each, and one session with many viewers."""

from collections.abc import Callable

from tests.bench.figures import AS_WRITTEN, FLOOR, OURS
from tests.bench.lane import Lane, Window
from tests.bench.rig import Rig

_NOT_FULL = 0.9
"""The share of its core up to which a server takes chunks as they come, instead of in ever larger batches."""

_LOADS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.6)
"""For the curve: shares of the rate at which the slowest fills its core."""

_COST_MIN_US = 1.0
"""Below the resolution of the clock that counts CPU, in a window of a quick run."""

Samples = dict[str, list[float]]


async def many_sessions(rig: Rig) -> None:
    """W1: 300 sessions × 1 viewer × 30 chunks/s; and the curve over the load."""
    lanes = await three(rig, rig.size.of(300), 1)
    full = await live(rig, lanes, 30, rig.size.of(300))
    for load in _LOADS if rig.size.windows > 1 else _LOADS[1:4:2]:
        for lane in lanes:
            found = await lane.window(full * load)
            rig.found.curve.append({"server": lane.kind, "sessions": rig.size.of(300), "load": load} | vars(found))


async def many_viewers(rig: Rig) -> None:
    """W2: 1 session × 200 viewers × 50 chunks/s."""
    await live(rig, await three(rig, 1, rig.size.of(200)), 50, rig.size.of(200))


async def three(rig: Rig, sessions: int, each: int) -> list[Lane]:
    """The three servers, each with its own load."""
    return [await Lane.open(rig, kind, sessions, each) for kind in (OURS, AS_WRITTEN, FLOOR)]


async def live(rig: Rig, lanes: list[Lane], nominal: float, viewers: int) -> float:
    """Measure the servers in turns; returns the rate per session at which the slowest fills its core.

    CPU is compared at the nominal rate if all three can still follow it, else at half of that other rate: a server that
    is behind saves CPU by batches, and its viewers pay for it. Latency is always compared at half.
    """
    full = min([await fills_its_core(lane, nominal, viewers) for lane in lanes])
    calm = full / 2
    costly = nominal if nominal <= full * _NOT_FULL else calm
    rig.found.remarks.append(
        f"{rig.work}: the slowest fills its core at {full * viewers:.0f} delivered chunks/s; "
        f"latency at {calm * viewers:.0f}, CPU at {costly * viewers:.0f}"
    )
    at_calm, at_costly = await in_turns(rig, lanes, calm), {}
    if costly != calm:
        at_costly = await in_turns(rig, lanes, costly)
    told = samples(at_costly or at_calm, lambda window: window.cpu_us)
    rig.figure("CPU per chunk", "µs", told)
    rig.figure("p50", "ms", samples(at_calm, lambda window: window.p50_ms))
    rig.figure("p99", "ms", samples(at_calm, lambda window: window.p99_ms))
    if int(rig.redis_version.partition(".")[0]) >= 7:
        redis = samples(at_costly or at_calm, lambda window: window.redis_us)
        rig.figure("Redis' CPU per chunk", "µs", {kind: redis[kind] for kind in (OURS, AS_WRITTEN)})
    held = {lane.kind: [float(lane.server.connections_to(rig.redis_port))] for lane in lanes if lane.kind != FLOOR}
    rig.figure("Redis connections", "", held)
    return full


async def fills_its_core(lane: Lane, nominal: float, viewers: int) -> float:
    """The rate per session at which a server would use all of a core, from what it costs at a quarter of the load."""
    found = await lane.window(nominal / 4)
    return 1e6 / max(found.cpu_us, _COST_MIN_US) / viewers


async def in_turns(rig: Rig, lanes: list[Lane], per_s: float) -> dict[str, list[Window]]:
    """Several windows at one rate, the servers taking turns, so that what else the machine does meets all of them."""
    found: dict[str, list[Window]] = {lane.kind: [] for lane in lanes}
    for _ in range(rig.size.windows):
        for lane in lanes:
            found[lane.kind].append(await lane.window(per_s))
    return found


def samples(found: dict[str, list[Window]], fact: Callable[[Window], float]) -> Samples:
    """One fact of each window."""
    return {kind: [fact(window) for window in windows] for kind, windows in found.items()}
