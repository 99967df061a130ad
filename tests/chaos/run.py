"""A run: many seeds, one side for each version of Redis, each in one house after the other."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from deploy.redis_binary import Binary
from tests.chaos import house as houses
from tests.chaos import vendor as vendors
from tests.chaos.finding import Finding
from tests.chaos.house import House
from tests.chaos.plan import Plan, draw
from tests.chaos.seed import Seed
from tests.chaos.tally import Tally
from tests.chaos.vendor import Vendor

SEEDS_PER_HOUSE = 20
"""Then everything is made anew: what builds up shows, and no seed is far from a fresh start."""

CONSUME_PROCESSES = 2


class Run:
    """All seeds of one command."""

    def __init__(self, binaries: Sequence[Binary], seconds: float, *, fail_fast: bool) -> None:
        self.tally = Tally()
        self._binaries = binaries
        self._began = time.monotonic()
        self._until = self._began + seconds
        self._fail_fast = fail_fast

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    async def all(self, seeds: Sequence[int]) -> None:
        """Run these seeds, in order on each side, while there is time."""
        async with vendors.running() as vendor, asyncio.TaskGroup() as sides:
            for number, binary in enumerate(self._binaries):
                mine = [seed for seed in seeds if seed % len(self._binaries) == number]
                sides.create_task(self._side(mine, binary, vendor))

    @property
    def _over(self) -> bool:
        failed = self._fail_fast and self.tally.failed_seeds
        return bool(failed) or time.monotonic() > self._until

    async def _side(self, seeds: Sequence[int], binary: Binary, vendor: Vendor) -> None:
        for block, together in groupby(seeds, key=lambda seed: seed // SEEDS_PER_HOUSE):
            left = list(together)
            while left and not self._over:
                async with houses.running(binary, vendor, 2 + block % 2, CONSUME_PROCESSES) as house:
                    # What a failed seed has left may disturb the next: it gets a new house.
                    while left and not self._over and await self._is_good(left.pop(0), house, vendor):
                        pass

    async def _is_good(self, number: int, house: House, vendor: Vendor) -> bool:
        plan, began = draw(number), time.monotonic()
        seed = Seed(plan, house, vendor, self.tally)
        await seed.run()
        self.tally.found(number, seed.findings)
        seconds = time.monotonic() - began
        told = f"seed {number}, Redis {house.version}, {len(house.generate)} generate: {seconds:.1f} s"
        print(f"{told}, {'FAILED' if seed.findings else 'good'}", flush=True)
        if seed.findings:
            await _tell(plan, seed.findings, house)
        return not seed.findings


async def _tell(plan: Plan, findings: Sequence[Finding], house: House) -> None:
    kept = Path(tempfile.mkdtemp(prefix=f"chaos-seed-{plan.seed}-"))
    house.keep_logs(kept)
    for finding in findings:
        print(f"  {finding.kind:<10} {finding.session or 'the house'}: {finding.text}")
    print("  what broke: " + ", ".join(f"{each.at_s} s {each.kind} {each.seconds} s" for each in plan.breakages))
    lines = [f"{finding.kind}\t{finding.session}\t{finding.text}" for finding in findings]
    lines += [str(each) for each in (*plan.breakages, *plan.stories)]
    for session in sorted({finding.session for finding in findings if finding.session}):
        lines += await house.told_of(session)
    (kept / "seed.txt").write_text("\n".join(lines) + "\n")
    print(f"  the processes' logs, the plan and what Redis holds: {kept}", flush=True)
