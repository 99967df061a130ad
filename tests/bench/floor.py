"""The floor: the same sse-starlette and uvicorn, the chunks made in the process, no Redis.

    BENCH_CONTROL_FD=… REJOIN_PORT=… python -m tests.bench.floor

Takes `pace` and `written` as the writer does, being its own.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.control import obey
from tests.bench.serving import serve
from tests.bench.stamps import chunk


class Session:
    """One answer that never ends: a frame now and then, for all who wait."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.waiting: set[asyncio.Event] = set()
        self._talking: asyncio.Task[None] | None = None

    def pace(self, per_s: float) -> None:
        """Go on at another rate; 0 is silence."""
        if self._talking:
            self._talking.cancel()
        self._talking = asyncio.create_task(self._talk(1 / per_s)) if per_s else None

    async def _talk(self, every_s: float) -> None:
        due_at = time.monotonic()
        while True:
            due_at += every_s
            await asyncio.sleep(due_at - time.monotonic())
            number = len(self.frames)
            data = f'{{"type":"chunk","generation":1,"content":"{chunk()}","ms":1}}'
            self.frames.append(f"id: 1700000000000-{number}\ndata: {data}\n\n".encode())
            for viewer in self.waiting:
                viewer.set()

    async def listen(self) -> AsyncGenerator[bytes, None]:
        """The frames for one viewer."""
        nudged, at = asyncio.Event(), len(self.frames)
        self.waiting.add(nudged)
        yield b": ping\n"
        while True:
            await nudged.wait()
            nudged.clear()
            batch, at = self.frames[at:], len(self.frames)
            yield batch[0] if len(batch) == 1 else b"".join(batch)


def application() -> Starlette:
    """One route, the same as consume-stream's."""
    sessions: dict[str, Session] = {}

    async def pace(per_s: float) -> dict[str, Any]:
        for session in sessions.values():
            session.pace(per_s)
            # As the writer does: not all sessions at one moment.
            await asyncio.sleep(1 / per_s / len(sessions) if per_s else 0)
        return {}

    async def written() -> dict[str, Any]:
        return {"chunks": sum(len(session.frames) for session in sessions.values())}

    async def consume(request: Request) -> Response:
        name = request.query_params["sessionId"]
        return EventSourceResponse(sessions.setdefault(name, Session()).listen())

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        obeying = asyncio.create_task(obey({"pace": pace, "written": written}))
        yield
        obeying.cancel()

    return Starlette(routes=[Route("/api/consume-stream", consume)], lifespan=lifespan)


if __name__ == "__main__":
    serve(application())
