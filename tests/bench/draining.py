"""The real SDK alone, or with the blog form's appending: what W6 is compared with.

BENCH_CONTROL_FD=… REDIS_URL=… python -m tests.bench.draining
"""

import asyncio
import os
import secrets
from typing import Any

import openai
import redis.asyncio as redis
import uvloop
from openai.types.chat import ChatCompletionUserMessageParam

from tests.bench.as_written import CONNECTIONS_MAX
from tests.bench.control import obey


class Draining:
    """Streams that are read to their end."""

    def __init__(self) -> None:
        url = os.environ["REDIS_URL"]
        self._client = redis.Redis.from_url(url, protocol=2, max_connections=CONNECTIONS_MAX, socket_timeout=None)
        self._tasks: set[asyncio.Task[None]] = set()
        self._chunks = 0

    async def drain(self, base: str, streams: int, prompt: str, append: bool) -> dict[str, Any]:
        """Open so many streams and go on reading; with `append`, each chunk goes to Redis as the blog form does it."""
        sdk = openai.AsyncOpenAI(api_key="sk-bench", base_url=f"{base}/v1")
        for _ in range(streams):
            task = asyncio.create_task(self._one(sdk, prompt, append))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return {}

    async def finished(self) -> dict[str, Any]:
        """Wait until every stream has been read, and appended, to its end; how many chunks that were."""
        await asyncio.gather(*self._tasks)
        chunks, self._chunks = self._chunks, 0
        return {"chunks": chunks}

    async def _one(self, sdk: openai.AsyncOpenAI, prompt: str, append: bool) -> None:
        log = f"llm:stream:bench-{secrets.token_hex(4)}"
        message = ChatCompletionUserMessageParam(role="user", content=prompt)
        async with await sdk.chat.completions.create(model="bench", messages=[message], stream=True) as stream:
            async for event in stream:
                content = event.choices[0].delta.content if event.choices else None
                self._chunks += bool(content)
                if content and append:
                    await self._client.xadd(log, {"type": "chunk", "content": content})
                    await self._client.publish(log, "")


async def main() -> None:
    """Obey the bench."""
    draining = Draining()
    await obey({"drain": draining.drain, "finished": draining.finished})


if __name__ == "__main__":
    uvloop.run(main())
