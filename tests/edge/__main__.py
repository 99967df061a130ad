"""Fuzzing for as long as one likes. `make fuzz` runs it."""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
from pathlib import Path

from deploy import redis_server
from deploy.leash import Leash
from tests import redis_users
from tests.edge.fuzzing import Fuzzing
from tests.edge.shots import shot
from tests.edge.target import standing


async def fuzz(seconds: float, seed: int, number: int | None) -> None:
    """Fire for so long, or one shot alone."""
    binary, *_ = redis_server.binaries()
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.closing(Leash()) as leash,
        redis_server.start(binary, Path(directory), *redis_users.arguments(binary)) as server,
    ):
        async with standing(server, leash) as target:
            fuzzing = Fuzzing(target, seed, lambda told: print(told, flush=True))
            if number is None:
                await fuzzing.rounds(seconds)
            else:
                print(*shot(seed, number).pieces, sep="\n")
                await fuzzing.round(range(number, number + 1))


def main() -> int:
    """Run; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.edge", description="Fire broken HTTP at both services.")
    parser.add_argument("--seconds", type=float, default=60, help="begin no round after so many seconds (default 60)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of a run to see again")
    parser.add_argument("--shot", type=int, help="fire this one alone, and show it")
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    try:
        asyncio.run(fuzz(told.seconds, told.seed, told.shot))
    except (Exception, ExceptionGroup) as error:  # noqa: BLE001 - whatever was found is to be told, by its number
        print(*_told(error), sep="\n")
        return 1
    return 0


def _told(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        inner = [line for each in error.exceptions for line in _told(each)]
        return [*inner, *getattr(error, "__notes__", [])]
    return [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])]


if __name__ == "__main__":
    sys.exit(main())
