"""W3: many viewers at once join a finished answer; and the same beside live viewers."""

import asyncio

from tests.bench.bounds import UNDISTURBED
from tests.bench.figures import AS_WRITTEN, OURS
from tests.bench.lane import Lane
from tests.bench.rig import Rig
from tests.bench.works.live import fills_its_core

_ROUNDS_MAX = 3
_EVERY_S = 0.1


async def replay(rig: Rig) -> None:
    """W3: 50 viewers at once join a finished answer of 10,000 chunks."""
    writer, viewers = rig.generator("writer"), rig.generator("viewers")
    await writer.ask("answer", session="bench-answer", chunks=rig.size.of(10_000), characters=40)
    servers = {kind: await rig.server(kind) for kind in (OURS, AS_WRITTEN)}
    seconds: dict[str, list[float]] = {kind: [] for kind in servers}
    size: dict[str, list[float]] = {kind: [] for kind in servers}
    for _ in range(min(_ROUNDS_MAX, rig.size.windows)):
        for kind, server in servers.items():
            rig.tell(kind)
            await viewers.ask("mark")
            told = await viewers.ask(
                "replay", within_s=400, base=server.url, session="bench-answer", viewers=rig.size.of(50)
            )
            rig.generator_cost("viewers", await viewers.ask("report"))
            seconds[kind].append(told["seconds"])
            size[kind].append(told["bytes"] / 1024)
    rig.figure("to the last byte", "s", seconds)
    rig.figure("bytes per viewer", "KiB", size)


async def beside_live(rig: Rig) -> None:
    """W3 beside W1: every 100 ms somebody joins a finished answer of 2 MB; the live viewers take half of a core."""
    sessions = rig.size.of(300)
    lane = await Lane.open(rig, OURS, sessions, 1)
    readers = rig.generator("viewers")
    await lane.writer.ask("answer", session="bench-answer", chunks=rig.size.of(10_000), characters=200)
    per_s = min(30.0, await fills_its_core(lane, 30, sessions) / 2)
    p99: dict[str, list[float]] = {OURS: [], UNDISTURBED: []}
    size = rig.size
    for _ in range(size.windows):
        p99[UNDISTURBED].append((await lane.window(per_s)).p99_ms)
        replays = readers.ask(
            "replays", within_s=120, base=lane.server.url, session="bench-answer", every_s=_EVERY_S,
            seconds=size.settle_s + size.window_s,
        )  # fmt: skip
        await readers.ask("mark")
        window, told = await asyncio.gather(lane.window(per_s), replays)
        rig.generator_cost("readers", await readers.ask("report"))
        p99[OURS].append(window.p99_ms)
    rig.figure("p99", "ms", p99)
    rig.found.remarks.append(
        f"{rig.work}: {window.core:.2f} of a core with the replays; a replay took {told['p50']:.2f} s"
    )
