"""W7: a storm of connects on running sessions, as after a restart of the proxy in front."""

from tests.bench.figures import AS_WRITTEN, OURS
from tests.bench.lane import Lane
from tests.bench.rig import Rig

_ROUNDS_MAX = 3
_SESSIONS = 250
_VIEWERS_EACH = 8
_WITHIN_S = 5.0
_CHUNKS_PER_S = 2


async def storm(rig: Rig) -> None:
    """W7: 2,000 viewers within 5 s. The first frame is what counts: a head and a comment show nobody a word."""
    sessions, seconds = rig.size.of(_SESSIONS), max(0.5, _WITHIN_S * rig.size.share)
    refused: dict[str, list[float]] = {OURS: [], AS_WRITTEN: []}
    first: dict[str, list[float]] = {OURS: [], AS_WRITTEN: []}
    for _ in range(min(_ROUNDS_MAX, rig.size.windows)):
        for kind in first:
            rig.tell(kind)
            server, viewers, writer = await rig.server(kind), rig.generator("viewers"), rig.generator("writer")
            await writer.ask("open", prefix="bench-storm", sessions=sessions)
            await writer.ask("pace", per_s=_CHUNKS_PER_S)
            await viewers.ask("mark")
            told = await viewers.ask(
                "join", within_s=120, base=server.url, prefix="bench-storm", sessions=sessions, each=_VIEWERS_EACH,
                storm_s=seconds,
            )  # fmt: skip
            rig.generator_cost("viewers", await viewers.ask("report"))
            rig.generator_cost("writer", await writer.ask("written"))
            if told["refused"]:
                rig.fault(kind, f"{told['refused']} connects refused")
            refused[kind].append(float(told["refused"]))
            first[kind].append(told["first_p99"])
            await writer.ask("pace", per_s=0)
            await Lane(rig, kind, server, viewers, writer, _VIEWERS_EACH).all_there()
            await rig.clear()
    rig.figure("connects refused", "", refused)
    rig.figure("p99 to the first frame", "ms", first)
