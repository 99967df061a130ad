"""How the two baselines are served: by uvicorn as Rejoin uses it, and as quietly."""

import os

import uvicorn
from starlette.types import ASGIApp


def serve(app: ASGIApp) -> None:
    """Serve on REJOIN_PORT until a signal."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["REJOIN_PORT"]),
        log_level="warning",
        http="httptools",
        loop="uvloop",
        backlog=4096,
        timeout_graceful_shutdown=1,
    )
