"""The origin: one address for the page and both services, told apart by path."""

import functools
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.forward import Forward
from deploy.page import DIST
from deploy.settings import LocalSettings
from deploy.tunnel import Tunnel
from shared import logs, server
from shared.access.headers import secured
from shared.http import EXCEPTIONS, healthz
from shared.settings import SettingError

_CONSUME = re.compile(
    r"/api/(consume-stream|read-stream|sessions/|chat/[^/]+/(stream|messages)$)|/v1/chat/completions/"
)
"""Every other path under /api and /v1 is generate-stream's."""
_RESPONSES = "/v1/responses/"
"""But for these, of which consume-stream tells, and which generate-stream changes."""


_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a model says is hostile: nothing that it brings runs, and nothing is fetched from elsewhere."""

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The same as in nginx/page-headers.conf."""


class Page(StaticFiles):
    """The files of the page. Those whose names carry a version never change; of the others a browser asks each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file. Raises HTTPException 404 or 405."""
        # A redirect to the folder would name the origin as this process sees it, and browsers may see another one.
        response = await super().get_response("doctor/index.html" if path == "doctor" else path, scope)
        versioned = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        response.headers.update(_HEADERS)
        return response


def is_read(method: str, path: str) -> bool:
    """Whether a request is consume-stream's."""
    return bool(_CONSUME.match(path)) or (path.startswith(_RESPONSES) and method in ("GET", "HEAD"))


class Split:
    """Hands each request to the service that its path belongs to."""

    def __init__(self, generate: Forward, consume: Forward) -> None:
        self._generate = generate
        self._consume = consume

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._consume if is_read(scope["method"], scope["path"]) else self._generate
        await service(scope, receive, send)


async def _doctor_is_off(_: Request) -> Response:
    raise HTTPException(404)


class Secured:
    """An application whose every answer has the headers that those of the services have, if it gives no others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def answer(message: Message) -> Any:
            if message["type"] == "http.response.start":
                message = {**message, "headers": secured(message["headers"])}
            return send(message)

        await self._app(scope, receive, answer)


def application(generate: Forward, consume: Forward, *, doctor: bool) -> ASGIApp:
    """The origin in front of these two, with the doctor's page or without."""

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
        *([] if doctor else [Route("/doctor{_:path}", _doctor_is_off)]),
        Mount("/", Page(directory=DIST, html=True)),
    ]
    return Secured(Starlette(routes=routes, exception_handlers=EXCEPTIONS, lifespan=lifespan))


def main() -> None:
    """Serve until a signal; then what is open is cut, so that clients come back."""
    try:
        settings = LocalSettings.read(os.environ)
        logs.setup("origin", settings.log_level)
    except SettingError as error:
        sys.exit(str(error))
    if not DIST.is_dir():
        sys.exit("the page is not built: run `make page`")
    generate = Forward(f"http://127.0.0.1:{settings.generate_port}")
    consume = Forward(f"http://127.0.0.1:{settings.consume_port}")

    async def drain() -> None:
        generate.cut_all()
        consume.cut_all()

    # A viewer takes two: one to the browser, one to the service.
    server.allow_open_files(0)
    upgrades = {b"/api/consume-stream": functools.partial(Tunnel, settings.consume_port)}
    app = application(generate, consume, doctor=settings.doctor)
    server.run(app, settings.host, settings.port, drain, upgrades)


if __name__ == "__main__":
    main()
