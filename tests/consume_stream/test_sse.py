"""A viewer's response: signs of life go beside its frames, and never behind its end."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import pytest

from services.consume_stream.rota import Rota
from services.consume_stream.sse import Pings, ViewerResponse

pytestmark = pytest.mark.anyio


class Batch(NamedTuple):
    """What leaves in one piece."""

    frames: bytes


class Said:
    """A subscription that has one batch, and ends."""

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """That one."""
        yield Batch(b"data: {}\n\n")


class SlowClient:
    """Uvicorn's side of a response whose client takes nothing for a while: it keeps each message waiting, in order."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.ended = asyncio.Event()
        self.asked: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent: list[bytes] = []
        self.too_late: list[bytes] = []

    async def send(self, message: Any) -> None:
        """Take a message once there is room. Raises RuntimeError behind the end."""
        if message["type"] == "http.response.start":
            return
        self.asked.put_nowait(message["body"])
        await self.writable.wait()
        if self.ended.is_set():
            self.too_late.append(message["body"])
            raise RuntimeError("sent after the response was complete")
        self.sent.append(message["body"])
        if not message["more_body"]:
            self.ended.set()

    async def receive(self) -> dict[str, str]:
        """Wait for the end."""
        await self.ended.wait()
        return {"type": "http.disconnect"}


async def test_a_sign_of_life_that_was_not_taken_before_the_end_is_not_sent_behind_it() -> None:
    pings: Pings = Rota(60, lambda viewer: viewer.ping())
    client = SlowClient()
    response = ViewerResponse(Said(), contextlib.ExitStack(), pings)
    serving = asyncio.create_task(response({"type": "http", "method": "GET"}, client.receive, client.send))
    await client.asked.get()
    response.ping()
    await client.asked.get()
    client.writable.set()
    await serving
    await pings.close()
    assert (client.too_late, client.sent[-1]) == ([], b"")
