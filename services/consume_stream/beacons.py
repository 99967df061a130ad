"""Beacons: a stream that tells when each of its frames was sent, for whoever examines the way to the reader."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Iterator
from typing import ClassVar, NamedTuple, Self

from starlette.requests import Request

from services.consume_stream import frames
from shared.http import ApiError

_SECONDS_MAX = 120.0
_EVERY_MIN_S = 0.05
_BEACONS_MAX = 200
_STREAMS_MAX = 8


class _Beacon(NamedTuple):
    frames: bytes


class Beacons:
    """One stream of them, `every_s` apart, the first at once and the last after `seconds`. It stands where a
    subscription stands: all that is between it and the reader is what an answer passes through.
    """

    _open: ClassVar[int] = 0
    """Streams of this process now. Few are enough to examine it, and no more may be had."""

    def __init__(self, seconds: float, every_s: float) -> None:
        self._every_s = every_s
        self._count = 1 + math.floor(seconds / every_s)

    @classmethod
    def asked_for(cls, request: Request) -> Self:
        """Read the query. Raises ApiError with 400."""
        seconds = _number(request, "seconds", _EVERY_MIN_S, _SECONDS_MAX)
        every_s = _number(request, "every", max(_EVERY_MIN_S, seconds / (_BEACONS_MAX - 1)), seconds)
        return cls(seconds, every_s)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for one stream. Raises ApiError with 429 when there is none."""
        if Beacons._open >= _STREAMS_MAX:
            raise ApiError(429, "too_many_beacons", "This process sends as many beacons as it may.", retry=True)
        Beacons._open += 1
        try:
            yield
        finally:
            Beacons._open -= 1

    async def batches(self) -> AsyncGenerator[_Beacon, None]:
        """Each when it is time, whenever the one before was taken."""
        begun = time.monotonic()
        for number in range(self._count):
            await asyncio.sleep(begun + number * self._every_s - time.monotonic())
            yield _Beacon(frames.beacon(number, self._count, time.time() * 1000))


def _number(request: Request, name: str, least: float, most: float) -> float:
    try:
        value = float(request.query_params.get(name, ""))
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ApiError(400, f"invalid_{name}", f"{name} takes seconds from {least:g} to {most:g}.")
    return value
