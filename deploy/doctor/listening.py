"""Listening: a stream of beacons through the whole chain, and when each of them was here."""

import json
import time
import zlib
from collections.abc import Mapping

import anyio
import httpx2

from deploy.doctor.facts import Beacon, Heard

_GZIP_OR_DEFLATE = 47
_GRACE_S = 3.0


async def listen(
    client: httpx2.AsyncClient, path: str, seconds: float, every_s: float, headers: Mapping[str, str]
) -> Heard:
    """Hear it to its end, or until it is 3 s overdue."""
    listener, begun = _Listener(), time.monotonic()
    cause = ""
    try:
        with anyio.fail_after(seconds + _GRACE_S):
            params = {"seconds": f"{seconds:g}", "every": f"{every_s:g}"}
            async with client.stream("GET", path, params=params, headers=dict(headers)) as response:
                listener.answered(response)
                async for data in response.aiter_raw():
                    listener.take(data)
    except TimeoutError:
        cause = f"it did not end within {seconds + _GRACE_S:g} s"
    except httpx2.TransportError as error:
        cause = str(error) or repr(error)
    return listener.heard(begun, cause)


class _Listener:
    def __init__(self) -> None:
        self._response: httpx2.Response | None = None
        self._encoding = ""
        self._text = b""
        self._beacons: list[Beacon] = []
        self._of = 0
        self._last_at = time.monotonic()
        self._inflate = zlib.decompressobj(_GZIP_OR_DEFLATE)

    def answered(self, response: httpx2.Response) -> None:
        self._response = response
        self._encoding = response.headers.get("content-encoding", "").replace("identity", "")
        self._last_at = time.monotonic()

    def take(self, data: bytes) -> None:
        self._last_at = time.monotonic()
        here_ms = time.time() * 1000
        if self._encoding:
            data = self._inflate.decompress(data) if self._encoding in ("gzip", "deflate") else b""
        *lines, self._text = (self._text + data).split(b"\n")
        for line in lines:
            if line.startswith(b'data: {"type":"beacon"'):
                told = json.loads(line[6:])
                self._of = told["of"]
                self._beacons.append(Beacon(told["atMs"], here_ms))

    def heard(self, begun: float, cause: str) -> Heard:
        if self._response is None:
            return Heard(cause=cause)
        now = time.monotonic()
        return Heard(
            self._response.status_code,
            self._response.headers.get("content-type", "").partition(";")[0],
            self._encoding,
            tuple(self._beacons),
            not cause and 0 < self._of == len(self._beacons),
            now - begun,
            now - self._last_at,
            cause,
        )
