"""A load generator: sends prompts as a browser does, and waits for the first chunk.

BENCH_CONTROL_FD=… python -m tests.bench.prompts
"""

import asyncio
import json
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

import uvloop

from tests.bench.control import obey
from tests.bench.crowd import Connection, request_for
from tests.bench.figures import quantiles
from tests.bench.stamps import now_us
from tests.bench.upstream import asked

_FIRST = re.compile(rb"@(\d+);[^@^]*\^(\d+);")
_WITHIN_S = 30.0
_PROMPT = asked(chunks=1, per_s=20, first_s=0.1)
"""A tenth of a second is the provider's own: long enough for a viewer that comes upon the 202 to be there."""


class Watching(Connection):
    """A viewer who waits for the first chunk; `first` tells when it left the provider, was asked for, and came here."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self.first: asyncio.Future[tuple[int, int, int]] = asyncio.get_running_loop().create_future()
        self._received = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        now, self._received = now_us(), self._received + data
        if not self.first.done() and (found := _FIRST.search(self._received)):
            self.first.set_result((int(found[1]), int(found[2]), now))


async def watch(base: str, session: str) -> Watching:
    """Join a session that may not exist yet."""
    place, request = urlsplit(base), request_for(base, session, "session")
    loop = asyncio.get_running_loop()
    _, watching = await loop.create_connection(lambda: Watching(request), str(place.hostname), int(place.port or 80))
    await watching.head
    return watching


async def post(base: str, session: str, prompt: str) -> None:
    """Send a prompt; returns upon the 202. Raises ConnectionError for any other answer."""
    place, body = urlsplit(base), json.dumps({"sessionId": session, "prompt": prompt}).encode()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = f"POST /api/generate-stream HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    status = await reader.readline()
    writer.close()
    if b" 202 " not in status:
        raise ConnectionError(f"the prompt was answered by {status!r}")


async def start(generate: str, prefix: str, sessions: int, prompt: str) -> dict[str, Any]:
    """Begin a generation in each of so many sessions."""
    await asyncio.gather(*(post(generate, f"{prefix}-{number:05}", prompt) for number in range(sessions)))
    return {}


async def first_chunks(generate: str, consume: str, count: int, early: bool) -> dict[str, Any]:
    """Prompts, one after the other: ms from each to its first chunk, less what the provider took.

    The viewer is there before the prompt (`early`), or comes upon the 202.
    """
    took = []
    async with asyncio.timeout(_WITHIN_S + count):
        for _ in range(count):
            session = f"bench-{secrets.token_hex(6)}"
            watching = await watch(consume, session) if early else None
            sent = now_us()
            await post(generate, session, _PROMPT)
            watching = watching or await watch(consume, session)
            left, asked_at, came = await watching.first
            took.append((asked_at - sent + came - left) / 1000)
            watching.close()
    return {**quantiles(took)}


if __name__ == "__main__":
    uvloop.run(obey({"start": start, "first_chunks": first_chunks}))
