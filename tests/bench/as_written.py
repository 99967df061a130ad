"""The blog form of this design, taken literally: what a team writes in an afternoon from the words of the idea.

    REDIS_URL=… REJOIN_PORT=… python -m tests.bench.as_written

A consumer group and a Pub/Sub connection for each viewer, one XREADGROUP per nudge, a frame per entry. Its other
half, which generates, is `draining`.
"""

import json
import os
from collections.abc import AsyncGenerator
from typing import Any

import nanoid
import redis.asyncio as redis
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.serving import serve

CONNECTIONS_MAX = 20_000
"""The library's own pool ends at 100: two viewers of three would be refused."""


def application(url: str) -> Starlette:
    """One route, the same as consume-stream's."""
    # By default a reply that is 5 s late breaks the stream, which a crowd on a full core brings about.
    client = redis.Redis.from_url(
        url, decode_responses=True, protocol=2, max_connections=CONNECTIONS_MAX, socket_timeout=None
    )

    async def frames(session: str) -> AsyncGenerator[dict[str, str], None]:
        log, group = f"llm:stream:{session}", f"sse-group-{nanoid.generate()}"
        async with client.pubsub() as nudges:
            await nudges.subscribe(log)
            await client.xgroup_create(log, group, id="0", mkstream=True)
            try:
                async for nudge in nudges.listen():
                    if nudge["type"] not in ("message", "subscribe"):
                        continue
                    brought: Any = await client.xreadgroup(group, "viewer", {log: ">"}, noack=True)
                    for _, entries in brought or []:
                        for entry_id, fields in entries:
                            yield {"id": entry_id, "data": json.dumps(fields)}
            finally:
                await client.xgroup_destroy(log, group)

    async def consume(request: Request) -> Response:
        return EventSourceResponse(frames(request.query_params["sessionId"]))

    return Starlette(routes=[Route("/api/consume-stream", consume)])


if __name__ == "__main__":
    serve(application(os.environ["REDIS_URL"]))
