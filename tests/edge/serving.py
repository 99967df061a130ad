"""An application of a test's own behind the services' protocol, in the test's own loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from shared.intake import Upgrade
from shared.protocol import Protocol

_NO_UPGRADES: Mapping[bytes, Upgrade] = {}


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, state: ServerState | None = None, upgrades: Mapping[bytes, Upgrade] = _NO_UPGRADES
) -> AsyncIterator[int]:
    """It listens inside the block, on this port; its connections are in `state`."""

    class Serving(Protocol):
        pass

    Serving.upgrades = upgrades
    config = uvicorn.Config(app, http=Serving, ws="none", lifespan="off", log_config=None, access_log=False)
    config.load()
    state = state or ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Serving(config, state, {}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in [*state.connections]:
            assert isinstance(connection, Protocol)
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)
