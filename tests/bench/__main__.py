"""The bench: what a chunk costs and how late it comes, against the blog form and the floor. `make bench` runs it."""

import argparse
import asyncio
import contextlib
import datetime
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy import redis_server
from deploy.leash import Leash
from deploy.redis_binary import Binary
from shared.server import allow_open_files
from tests.bench import machine
from tests.bench.chart import chart
from tests.bench.figures import quantiles
from tests.bench.progress import Progress
from tests.bench.result import result
from tests.bench.rig import FULL, QUICK, Found, Rig, Size
from tests.bench.table import tables
from tests.bench.works.cost import cost
from tests.bench.works.generating import generating, generating_far_from_redis
from tests.bench.works.growth import growth
from tests.bench.works.idle import idle
from tests.bench.works.live import many_sessions, many_viewers
from tests.bench.works.prompt import prompt
from tests.bench.works.replay import beside_live, replay
from tests.bench.works.storm import storm
from tests.ports import free_port
from tests.processes import ROOT

WORKS: dict[str, Callable[[Rig], Awaitable[None]]] = {
    "W1": many_sessions,
    "W2": many_viewers,
    "W3": replay,
    "W3 beside W1": beside_live,
    "W4": idle,
    "W5": prompt,
    "W6": generating,
    "W6, Redis 50 ms away": generating_far_from_redis,
    "W7": storm,
    "scale": growth,
    "cost": cost,
}
_WORK_WITHIN_S = 600.0
_CONNECTIONS = 15_000
"""As many as the blog form holds for 5,000 viewers, and some more."""
_QUIET = 0.1
"""How much of one core other programs may use, in the median window, for figures that are kept."""


async def run(binary: Binary, size: Size, names: list[str]) -> Found:
    """Do the works one after the other; a work that fails is told and leaves the others their turn."""
    port = free_port()
    memory_only = ("--port", str(port), "--appendonly", "no", "--maxclients", str(_CONNECTIONS))
    progress = Progress(len(names))
    with (
        contextlib.closing(progress),
        tempfile.TemporaryDirectory(prefix="rejoin-bench-") as directory,
        contextlib.closing(Leash()) as leash,
        redis_server.start(binary, Path(directory), *memory_only, leash=leash) as server,
    ):
        rig = Rig(leash, server, port, size, progress.step)
        for name in names:
            rig.work = name
            progress.work(name)
            try:
                async with asyncio.timeout(_WORK_WITHIN_S):
                    await WORKS[name](rig)
            except Exception as error:  # noqa: BLE001 - whatever stops one work is told in the end
                rig.found.broken.append(f"{name}: {type(error).__name__}: {error}")
            finally:
                await rig.clear()
        return rig.found


def main() -> int:
    """Run; 1 when a work broke, whatever the figures are."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure, against two baselines.")
    parser.add_argument("--quick", action="store_true", help="for function, not for figures: little of everything")
    parser.add_argument("--only", choices=WORKS, nargs="+", default=list(WORKS), help="only these works")
    parser.add_argument(
        "--to",
        type=Path,
        help="where bench.json and bench.svg go (default: docs, after a whole run on a quiet machine)",
    )
    told = parser.parse_args()
    binaries = redis_server.binaries()
    if not binaries:
        sys.exit("the bench needs a redis-server of its own: there is none on this machine")
    allow_open_files(_CONNECTIONS)
    began, begun = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), time.monotonic()
    facts = machine.facts(binaries[0])
    found = asyncio.run(run(binaries[0], QUICK if told.quick else FULL, told.only))
    facts["loadAfter"] = round(os.getloadavg()[0], 2)
    print(tables(found))
    kept = result(found, facts, began, time.monotonic() - begun)
    quiet = quantiles(found.others)["p50"] < _QUIET
    if told.quick:
        print("\nA quick run, for function: take no figure from it.")
    elif not quiet:
        print("\nOther programs were busy on this machine: take no figure from this run.")
    whole = not told.quick and told.only == list(WORKS)
    keep(kept, told.to or (ROOT / "docs" if whole and quiet else None))
    return 1 if found.broken else 0


def keep(kept: dict[str, object], where: Path | None) -> None:
    """Write the JSON and the chart; without a place they are only made, so that a quick run tries that too."""
    text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
    drawn = chart(kept) if kept["curve"] else ""
    if where:
        where.mkdir(parents=True, exist_ok=True)
        (where / "bench.json").write_text(text, "utf-8")
        if drawn:
            (where / "bench.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
