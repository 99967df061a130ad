"""Fuzzing: rounds of shots at both services, and after each round the claims on what they have become."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import httpx2

from tests.edge.answers import Malformed, answers, wrong
from tests.edge.frames import CLOSE
from tests.edge.shots import FORGED, Shot, shot
from tests.edge.target import Target
from tests.edge.upgrades import SECRET
from tests.processes import Service

ROUND = 1500
_AT_ONCE = 40
_SILENCE_S = 0.3
"""After so long without a byte there will be none: what was sent is no whole request, or has been answered."""
_LISTENS_S = 1.0
_ENDS_S = 20.0
"""How long a WebSocket may take to be closed, by a busy machine."""
_UPGRADED = b"HTTP/1.1 101 "
_KEPT_BYTES = 4 * 1024 * 1024


class Fuzzing:
    """One run by a seed. Whatever is found is told with its number: `--shot` fires it again."""

    def __init__(self, target: Target, seed: int, tell: Callable[[str], None] = lambda _: None) -> None:
        self.statuses: Counter[int] = Counter()
        self.codes: Counter[int] = Counter()
        """With which WebSockets were closed."""
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
        told = [dict(sorted(counted.items())) for counted in (self.statuses, self.codes)]
        self._tell(f"{self.shots} shots, {told[0]}, closed {told[1]}, MB: {taken}")

    async def _fire_all(self, left: Any) -> None:
        for number in left:
            await self.fire(number)

    async def fire(self, number: int) -> None:
        """Fire one, and look at what comes back."""
        drawn = shot(self._seed, number)
        raw, must_end = await exchange(self._target.both[drawn.at_consume], drawn)
        try:
            found = self._judged(raw, must_end=must_end)
        except Malformed as error:
            found = f"malformed: {error}"
        assert not found, f"shot {number} of seed {self._seed}: {found}"
        self.shots += 1

    def _judged(self, raw: bytes, *, must_end: bool) -> str:
        if FORGED in raw:
            return f"a request that stood in the body of another one was answered: {raw[-500:]!r}"
        if SECRET in raw:
            return f"a secret came back: {raw[-500:]!r}"
        read = list(answers(raw)) if len(raw) < _KEPT_BYTES else []
        self.statuses.update(answer.status for answer in read)
        codes = [frame.code for answer in read for frame in answer.frames if frame.opcode == CLOSE]
        self.codes.update(code for code in codes if code is not None)
        if must_end and not codes:
            return f"a WebSocket was not closed: {raw[-200:]!r}"
        return next(filter(None, map(wrong, read)), "")


async def exchange(service: Service, drawn: Shot) -> tuple[bytes, bool]:
    """Send a shot over a connection of its own, and read until the end, or until nothing comes.

    Also tells whether it was a WebSocket that has to be closed.
    """
    url = httpx2.URL(service.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    read, must_end = bytearray(), False
    # A server may hang up on what it has not read yet.
    with contextlib.suppress(ConnectionError):
        await _write(writer, drawn.pieces)
        if drawn.then:
            await _listen(reader, read, _LISTENS_S, until=b"\r\n\r\n")
            must_end = drawn.ends and not drawn.hangs_up and read.startswith(_UPGRADED)
            await _write(writer, drawn.then)
        if not drawn.hangs_up:
            await _listen(reader, read, _ENDS_S if must_end else _SILENCE_S)
    writer.transport.abort()
    return bytes(read), must_end


async def _write(writer: asyncio.StreamWriter, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()


async def _listen(reader: asyncio.StreamReader, read: bytearray, silence_s: float, until: bytes = b"") -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(silence_s, _LISTENS_S)):
            while len(read) < _KEPT_BYTES and not (until and until in read):
                async with asyncio.timeout(silence_s):
                    piece = await reader.read(65_536)
                if not piece:
                    return
                read += piece
