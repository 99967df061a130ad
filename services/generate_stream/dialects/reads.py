"""Reads that came to the wrong service, because a proxy could not tell: they are sent on."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shared.dialects.reads import PATHS, PREFIX


def routes() -> list[Route]:
    """One for each."""
    return [Route(path, _send_on, methods=["GET"]) for path in PATHS]


async def _send_on(request: Request) -> Response:
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1")
    return RedirectResponse(f"{PREFIX}{path}{'?' if query else ''}{query}", 307)
