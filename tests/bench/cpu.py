"""What a process costs: its CPU time, and how late its event loop comes to its work."""

import asyncio
import os
import time

import psutil

from tests.bench.figures import quantiles

_TICK_S = 0.02


def cpu_s(pid: int | None = None) -> float:
    """The seconds of CPU that a process has used so far, in user mode and in the kernel."""
    times = psutil.Process(pid or os.getpid()).cpu_times()
    return float(times.user + times.system)


def machine_s() -> float:
    """The seconds of CPU that the whole machine has used so far, those that its host took from it too."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


class OwnCost:
    """What a load generator costs itself: one that has no time left would measure itself."""

    def __init__(self) -> None:
        self._task = asyncio.create_task(self._tick())
        self.mark()

    def mark(self) -> None:
        """Begin to count."""
        self._late_ms: list[float] = []
        self._cpu_s, self._at = cpu_s(), time.monotonic()

    def report(self) -> dict[str, float]:
        """Since the mark: seconds, the share of one core, and how late the loop was, p99 in ms."""
        seconds = time.monotonic() - self._at
        core = (cpu_s() - self._cpu_s) / seconds
        return {"seconds": seconds, "core": core, "late_p99_ms": quantiles(self._late_ms)["p99"]}

    async def _tick(self) -> None:
        while True:
            due = time.monotonic() + _TICK_S
            await asyncio.sleep(_TICK_S)
            self._late_ms.append((time.monotonic() - due) * 1000)
