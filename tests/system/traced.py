"""A house that is traced: two producers and a reader, who tell a collector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.leash import Leash
from tests.fakes.collector import Collector, collecting
from tests.fakes.upstream import Upstream
from tests.system.pair import Pair

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The traceparent of a client that is traced itself."""

CLIENT_TRACE, CLIENT_SPAN = CLIENT.split("-")[1:3]


@dataclass(frozen=True)
class Traced:
    """The processes, and what they told."""

    pair: Pair
    collector: Collector


@asynccontextmanager
async def traced(redis_url: str, leash: Leash, upstream: Upstream, **settings: str) -> AsyncIterator[Traced]:
    """Lives inside the block."""
    async with collecting() as collector:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50",
            # Longer than a busy machine stands still: who is killed is taken over, and nobody else.
            "REJOIN_LEASE_S": "3",
        }  # fmt: skip
        environ |= settings
        async with Pair(redis_url, leash, upstream.url, None, **environ) as pair:
            yield Traced(pair, collector)
