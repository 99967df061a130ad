"""How long words are on their way: a writer tells the time with each of them, and viewers note when they hear it."""

import asyncio
import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple

from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import until
from tests.viewing import Frame, Viewer

EVERY_S = 0.05
DEADLINE_S = 30.0
LISTENS_S = 100.0

_TIME = re.compile(r"@([\d.]+) ")


class Lag(NamedTuple):
    """From append to arrival, in seconds."""

    median: float
    p99: float


class Listener(Viewer):
    """Follows a log, and notes for each word that is a time when it was said, and how long it took."""

    def __init__(self, url: str, session: str) -> None:
        super().__init__(url, session)
        self.heard: list[tuple[float, float]] = []

    async def listens(self) -> None:
        """Follow to the clean end. Raises Cut."""
        async with asyncio.timeout(LISTENS_S), aclosing(self.stream()) as frames:
            async for _ in frames:
                pass

    def take(self, frame: Frame) -> None:
        """Neighbouring words may come as one frame."""
        now = time.monotonic()
        super().take(frame)
        for said in map(float, _TIME.findall(str(frame.event.get("content", "")))):
            self.heard.append((said, now - said))


@asynccontextmanager
async def speaking(writer: OutsideWriter) -> AsyncIterator[None]:
    """Say what time it is, many times a second, and then the end."""
    over = asyncio.Event()

    async def speak() -> None:
        while not over.is_set():
            await writer.say(f"@{time.monotonic():.6f} ")
            await asyncio.sleep(EVERY_S)

    async with asyncio.TaskGroup() as speaker:
        speaker.create_task(speak())
        try:
            yield
        finally:
            over.set()
    await writer.end()


def lag(listeners: Sequence[Listener], since: float) -> Lag:
    """Of all words that were said since then."""
    lags = [took for listener in listeners for said, took in listener.heard if said >= since]
    return Lag(statistics.median(lags), statistics.quantiles(lags, n=100)[98])


async def lag_of_the_next(words: int, listeners: Sequence[Listener]) -> Lag:
    """Of what is said from now on, once every listener has heard so many words."""
    since = time.monotonic()

    async def all_have_heard() -> bool:
        return all(sum(said >= since for said, _ in listener.heard) >= words for listener in listeners)

    await until(all_have_heard, DEADLINE_S)
    return lag(listeners, since)
