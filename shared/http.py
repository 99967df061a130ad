"""What the two services' HTTP has in common: the error body, the table of exceptions, health and metrics."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, ExceptionHandler

from shared import logs
from shared.dialects import begun
from shared.handshakes import Handshakes
from shared.metrics import HTTP_ERRORS
from shared.requests import HEADER, Requests
from shared.wire import RedisAway

_log = logging.getLogger(__name__)

_NO_HEADERS: Mapping[str, str] = {}


class ApiError(Exception):
    """An answer other than the one asked for: a status, a stable code, a message for people."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry: bool = False,
        after_s: int = 1,
        headers: Mapping[str, str] = _NO_HEADERS,
        param: str | None = None,
        **facts: str | int,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        """The field of the request that it is about; told under /v1."""
        self.headers = ({"Retry-After": str(after_s)} if retry else {}) | dict(headers)
        self.facts = facts
        """Further members of the body, beside `error`."""


def no_session() -> ApiError:
    """The one answer to who asks for a session that is not there, or not theirs."""
    return ApiError(404, "session_not_found", "There is no such session.")


_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
"""As OpenAI's clients know them; every other 4xx is an invalid_request_error."""


def error_response(error: ApiError, url: URL) -> Response:
    """The JSON body that every error has; the line of the request has its code."""
    logs.note(code=error.code)
    HTTP_ERRORS.labels(error.code).inc()
    return _response(error, url)


def _response(error: ApiError, url: URL) -> Response:
    said: dict[str, str | None] = {"code": error.code, "message": error.message}
    if url.path.startswith("/v1/"):
        usual = "invalid_request_error" if error.status < 500 else "server_error"
        said |= {"type": _TYPES.get(error.status, usual), "param": error.param}
    headers = {**error.headers, **begun.no_retry(url)}
    return JSONResponse({"error": said, **error.facts}, error.status, headers=headers)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error, request.url)


async def _redis_away(request: Request, error: Exception) -> Response:
    # Said once in the log, by Health, and not once for each request.
    del error
    away = ApiError(503, "redis_unavailable", "The log is out of reach. Try again.", retry=True)
    return error_response(away, request.url)


async def _redis_refused(request: Request, error: Exception) -> Response:
    _log.error("Redis refused a command", extra={"fields": {"cause": str(error)}})
    refused = ApiError(503, "redis_refused", "The log can't be used just now.", retry=True)
    return error_response(refused, request.url)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    messages = {404: "There is no such route.", 405: "This route does not take that method."}
    status = error.status_code
    code, message = codes.get(status, "bad_request"), messages.get(status, error.detail)
    response = error_response(ApiError(status, code, message), request.url)
    response.headers.update(error.headers or {})
    return response


async def _unexpected(request: HTTPConnection, error: Exception) -> Response:
    # Starlette raises it again after this answer, and the server logs it with its trace.
    del error
    failed = ApiError(500, "internal_error", "Something went wrong here. It was logged.")
    return error_response(failed, request.url)


EXCEPTIONS: Mapping[type[Exception] | int, ExceptionHandler] = {
    ApiError: _api_error,
    RedisAway: _redis_away,
    RedisError: _redis_refused,
    HTTPException: _http_exception,
    Exception: _unexpected,
}


class Readiness(Protocol):
    """Who knows whether this process should get work."""

    def not_ready(self) -> str | None: ...


def _health(request: Request) -> Readiness:
    health: Readiness = request.app.state.health
    return health


async def healthz(_: Request) -> Response:
    """Alive: this process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Ready for work, or 503 with the reason."""
    reason = _health(request).not_ready()
    if reason:
        # A probe asks again and again, and no user sees the answer: it is not counted.
        return _response(ApiError(503, reason, "Not ready for new work.", retry=True), request.url)
    return PlainTextResponse("ready\n")


async def metrics(_: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


OPERATION_ROUTES = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def cors(origins: tuple[str, ...]) -> list[Middleware]:
    """Let pages of exactly these origins call, with their cookies; none by default. No pattern is an origin."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            # Vendors' clients send headers of their own. Which page may ask is the question, not with what header.
            allow_headers=["*"],
            expose_headers=["Content-Location", "Retry-After", "WWW-Authenticate", HEADER, *begun.NO_RETRY],
            allow_credentials=True,
            max_age=600,
        )
    ]


def application(routes: Sequence[BaseRoute], middleware: list[Middleware], lifespan: object) -> ASGIApp:
    """An application with the common routes and the one table of errors, whose requests are told of."""
    app = Starlette(
        routes=[*routes, *OPERATION_ROUTES],
        middleware=middleware,
        exception_handlers=EXCEPTIONS,
        lifespan=lifespan,  # type: ignore[arg-type]
    )
    # A redirect would name the origin as this process sees it, which is not the one that browsers see.
    app.router.redirect_slashes = False
    return Requests(Handshakes(app, _unexpected))
