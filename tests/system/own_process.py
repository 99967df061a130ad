"""A process of one service that one test has for itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.leash import Leash
from tests.processes import Service

GENERATE, CONSUME = "services.generate_stream", "services.consume_stream"


@asynccontextmanager
async def process(module: str, leash: Leash, **environ: str) -> AsyncIterator[Service]:
    """It lives inside the block, unless the test ends it."""
    service = await Service(module, leash, environ).start()
    try:
        yield service
    finally:
        assert service.process
        if service.process.poll() is None:
            await service.kill()
