"""Scale: W1 with 1, 2 and 4 times the sessions. A chunk costs no more; past a full core nothing is lost."""

from tests.bench.bounds import SMALLEST
from tests.bench.figures import OURS
from tests.bench.lane import Lane
from tests.bench.rig import Rig

_PER_S = 30


async def growth(rig: Rig) -> None:
    """Grow the number of sessions, each at the same rate; every chunk must come, however late."""
    costs: dict[int, list[float]] = {}
    for times in (1, 2, 4):
        lane = await Lane.open(rig, OURS, rig.size.of(300 * times), 1)
        found = [await lane.window(_PER_S) for _ in range(rig.size.windows)]
        await lane.close()
        costs[times] = [window.cpu_us for window in found]
        middle = sorted(found, key=lambda window: window.core)[len(found) // 2]
        rig.found.remarks.append(
            f"scale, {times} × the sessions: {middle.chunks_per_s:.0f} chunks/s on {middle.core:.2f} of a core, "
            f"p99 {middle.p99_ms:.3g} ms, {middle.chunks_per_read:.1f} chunks at once"
        )
    rig.figure("CPU per chunk, 1 × the sessions", "µs", {OURS: costs[1]})
    for times in (2, 4):
        rig.figure(f"CPU per chunk, {times} × the sessions", "µs", {OURS: costs[times], SMALLEST: costs[1]})
