"""The origin: one address for the page and both services, told apart by path."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from deploy.forward import Forward
from deploy.settings import ROOT, LocalSettings
from shared import logs, server
from shared.http import EXCEPTIONS, healthz
from shared.settings import SettingError

_CONSUME = ("/api/consume-stream", "/api/read-stream", "/api/sessions/")
"""Every other path under /api and /v1 is generate-stream's."""


class Page(StaticFiles):
    """The files of the page; a browser asks each time whether they have changed, since no name carries a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file. Raises HTTPException 404 or 405."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Split:
    """Hands each request to the service that its path belongs to."""

    def __init__(self, generate: Forward, consume: Forward) -> None:
        self._generate = generate
        self._consume = consume

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._consume if scope["path"].startswith(_CONSUME) else self._generate
        await service(scope, receive, send)


def application(generate: Forward, consume: Forward) -> Starlette:
    """The origin in front of these two."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await generate.close()
        await consume.close()

    split = Split(generate, consume)
    routes = [
        Route("/healthz", healthz),
        Mount("/api", split),
        Mount("/v1", split),
        Mount("/", Page(directory=ROOT / "web", html=True)),
    ]
    return Starlette(routes=routes, exception_handlers=EXCEPTIONS, lifespan=lifespan)


def main() -> None:
    """Serve until a signal; then what is open is cut, so that clients come back."""
    logs.setup("origin")
    try:
        settings = LocalSettings.read(os.environ)
    except SettingError as error:
        sys.exit(str(error))
    generate = Forward(f"http://127.0.0.1:{settings.generate_port}")
    consume = Forward(f"http://127.0.0.1:{settings.consume_port}")

    async def drain() -> None:
        generate.cut_all()
        consume.cut_all()

    # A viewer takes two: one to the browser, one to the service.
    server.allow_open_files(0)
    server.run(application(generate, consume), settings.host, settings.port, drain)


if __name__ == "__main__":
    main()
