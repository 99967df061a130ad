"""A load generator: holds many SSE connections open and tells how late each chunk came.

BENCH_CONTROL_FD=… python -m tests.bench.viewers
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import uvloop

from tests.bench.control import obey
from tests.bench.cpu import OwnCost
from tests.bench.crowd import Connection, Crowd, Reader, Viewer, request_for
from tests.bench.figures import quantiles

_CONNECTS_AT_ONCE = 50
_WAITS_S = 30.0
"""How long a viewer waits to be let in, and in a storm for its first frame, before that long is what it counts."""
_REPLAY_WITHIN_S = 300.0

C = TypeVar("C", bound=Connection)


class Viewers:
    """The viewers of this process; what it is told is its commands."""

    def __init__(self) -> None:
        self._crowd, self._cost = Crowd(), OwnCost()

    async def join(
        self, base: str, prefix: str, sessions: int, each: int, storm_s: float | None = None
    ) -> dict[str, Any]:
        """Join so many sessions, and stay: with all speed, or evenly over so many seconds. Counts who was refused.

        With a storm, also how long each waited for its first frame, from the moment at which it was to connect.
        """
        names = [f"{prefix}-{number:05}" for _ in range(each) for number in range(sessions)]
        gate = asyncio.Semaphore(len(names) if storm_s else _CONNECTS_AT_ONCE)
        begun, pause_s = time.monotonic(), (storm_s or 0.0) / len(names)

        async def one(number: int, name: str) -> float | None:
            due = begun + number * pause_s
            await asyncio.sleep(due - time.monotonic())
            with contextlib.suppress(TimeoutError):
                async with gate, asyncio.timeout(_WAITS_S):
                    request = request_for(base, name, "session")
                    viewer = await connect(base, lambda: Viewer(self._crowd, request))
                    if viewer is None or await viewer.head != 200:
                        return None
                    return (await viewer.first_frame - due) * 1000 if storm_s else 0.0
            return _WAITS_S * 1000 if storm_s else None

        waited = await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
        came = [each_ms for each_ms in waited if each_ms is not None]
        return {"refused": len(waited) - len(came)} | {f"first_{name}": ms for name, ms in quantiles(came).items()}

    async def mark(self) -> dict[str, Any]:
        """Begin to count."""
        self._crowd.mark()
        self._cost.mark()
        return {}

    async def report(self) -> dict[str, Any]:
        """The figures since the mark; and, since the beginning, the chunks of all and the connections that broke."""
        return self._crowd.report() | self._cost.report() | {"all": self._crowd.chunks, "lost": self._crowd.lost}

    async def replay(self, base: str, session: str, viewers: int) -> dict[str, Any]:
        """Join a finished answer, all at once: seconds until the last has its last byte, and the bytes of each."""
        begun = time.monotonic()
        read = await asyncio.gather(*(self._read(base, session) for _ in range(viewers)))
        return {"seconds": time.monotonic() - begun, "bytes": sum(read) / viewers}

    async def replays(self, base: str, session: str, every_s: float, seconds: float) -> dict[str, Any]:
        """Join a finished answer again and again; how long each took, from the moment at which it was to begin."""
        begun = time.monotonic()

        async def one(number: int) -> float:
            due = begun + number * every_s
            await asyncio.sleep(due - time.monotonic())
            await self._read(base, session)
            return time.monotonic() - due

        took = await asyncio.gather(*(one(number) for number in range(round(seconds / every_s))))
        return {"count": len(took)} | quantiles(took)

    async def _read(self, base: str, session: str) -> int:
        reader = await connect(base, lambda: Reader(request_for(base, session, "answer")))
        if reader is None:
            raise ConnectionError("refused")
        async with asyncio.timeout(_REPLAY_WITHIN_S):
            await reader.ended
        return reader.bytes


async def connect(base: str, made: Callable[[], C]) -> C | None:
    """Open one connection; None where it is refused."""
    place, loop = urlsplit(base), asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(made, str(place.hostname), int(place.port or 80))
    except OSError:
        return None
    return connection


async def main() -> None:
    """Obey the bench."""
    viewers = Viewers()
    told = (viewers.join, viewers.mark, viewers.report, viewers.replay, viewers.replays)
    await obey({command.__name__: command for command in told})


if __name__ == "__main__":
    uvloop.run(main())
