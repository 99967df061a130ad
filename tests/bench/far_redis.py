"""A Redis far away: the tests' own proxy as a process.

BENCH_CONTROL_FD=… python -m tests.bench.far_redis
"""

import asyncio
import contextlib
from typing import Any

from tests.bench.control import obey
from tests.proxy import Proxy


async def main() -> None:
    """Obey the bench: one command, which opens a way to a Redis with so much time for a round trip."""
    async with contextlib.AsyncExitStack() as ends:

        async def open_way(redis_url: str, delay_s: float) -> dict[str, Any]:
            proxy = await ends.enter_async_context(Proxy(redis_url))
            proxy.delay_s = delay_s / 2
            return {"url": proxy.url}

        await obey({"open": open_way})


if __name__ == "__main__":
    asyncio.run(main())
