"""Chaos: faults drawn from seeds, on real processes, and the invariant after each. `make chaos` runs it."""

import argparse
import asyncio
import logging
import sys

import psutil

from deploy import redis_server
from tests.chaos.run import Run


def seeds(text: str) -> list[int]:
    """`7` is that seed alone, `1-200` are all of these. Raises ValueError."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> int:
    """Run; 1 when any seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Break things at random, by seeds.")
    parser.add_argument("--seeds", type=seeds, default="1-20", help="7, or 1-200 (default 1-20)")
    parser.add_argument("--seconds", type=float, default=3600, help="begin no seed after so many seconds")
    parser.add_argument("--fail-fast", action="store_true", help="begin no seed after one that failed")
    told = parser.parse_args()
    binaries = redis_server.binaries()
    if not binaries:
        sys.exit("chaos needs a redis-server that it can kill: there is none on this machine")
    # It cuts its own connections all the time.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    run = Run(binaries, told.seconds, fail_fast=told.fail_fast)
    asyncio.run(run.all(told.seeds))
    if left := psutil.Process().children(recursive=True):
        print(f"left over: {left}")
    print(run.tally.table(run.seconds))
    return 1 if left or run.tally.failed_seeds or not run.tally.seeds else 0


if __name__ == "__main__":
    sys.exit(main())
