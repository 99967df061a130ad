"""Fuzzing: rounds of shots at both services, and after each round the claims on what they have become."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2

from tests.edge.answers import Malformed, answers, wrong
from tests.edge.shots import FORGED, Shot, shot
from tests.edge.target import Target
from tests.processes import Service

ROUND = 1500
_AT_ONCE = 40
_SILENCE_S = 0.3
"""After so long without a byte there will be none: what was sent is no whole request, or has been answered."""
_LISTENS_S = 1.0
_KEPT_BYTES = 4 * 1024 * 1024


class Fuzzing:
    """One run by a seed. Whatever is found is told with its number: `--shot` fires it again."""

    def __init__(self, target: Target, seed: int, tell: Callable[[str], None] = lambda _: None) -> None:
        self.statuses: Counter[int] = Counter()
        self.shots = 0
        self._target = target
        self._seed = seed
        self._tell = tell

    async def rounds(self, seconds: float) -> None:
        """As many as begin within so many seconds. Raises AssertionError with what is wrong."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self.round(range(self.shots, self.shots + ROUND))

    async def round(self, numbers: range) -> None:
        """Fire these, and then see that the services are as well as before."""
        left = iter(numbers)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(self._fire_all(left))
            await self._target.answers()
            await self._target.settles()
            self._target.logged_well()
            taken = self._target.is_no_larger()
        except Exception as error:
            error.add_note(f"within the shots {numbers.start} to {numbers.stop - 1} of seed {self._seed}")
            raise
        self._tell(f"{self.shots} shots, {dict(sorted(self.statuses.items()))}, MB: {taken}")

    async def _fire_all(self, left: Any) -> None:
        for number in left:
            await self.fire(number)

    async def fire(self, number: int) -> None:
        """Fire one, and look at what comes back."""
        drawn = shot(self._seed, number)
        raw = await exchange(self._target.both[drawn.at_consume], drawn)
        try:
            found = self._judged(raw)
        except Malformed as error:
            found = f"no HTTP: {error}"
        assert not found, f"shot {number} of seed {self._seed}: {found}"
        self.shots += 1

    def _judged(self, raw: bytes) -> str:
        if FORGED in raw:
            return f"a request that stood in the body of another one was answered: {raw[-500:]!r}"
        read = list(answers(raw)) if len(raw) < _KEPT_BYTES else []
        self.statuses.update(answer.status for answer in read)
        return next(filter(None, map(wrong, read)), "")


async def exchange(service: Service, drawn: Shot) -> bytes:
    """Send a shot over a connection of its own, and read until the end, or until nothing comes."""
    url = httpx2.URL(service.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    read = bytearray()
    # A server may hang up on what it has not read yet.
    with contextlib.suppress(ConnectionError):
        for piece in drawn.pieces:
            writer.write(piece)
            await writer.drain()
        if not drawn.hangs_up:
            await _listen(reader, read)
    writer.transport.abort()
    return bytes(read)


async def _listen(reader: asyncio.StreamReader, read: bytearray) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LISTENS_S):
            while len(read) < _KEPT_BYTES:
                async with asyncio.timeout(_SILENCE_S):
                    piece = await reader.read(65_536)
                if not piece:
                    return
                read += piece
