"""Each request: the id it is known by, the line that the log has of it, its span."""

import logging
import re
import time
from typing import Any

import nanoid
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import logs, tracing
from shared.access.headers import secured
from shared.tracing import NOTHING, Span

_log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_ID = re.compile(rb"[A-Za-z0-9._:+/=-]{1,128}")

_OPERATIONS = ("/healthz", "/readyz", "/metrics")
"""Who asks for these asks all day long: no spans, and lines only at DEBUG."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_PATH_MAX_CHARACTERS = 200
_FIRST = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_SWITCHED = 101
_CLIENT_LEFT = 499
"""As nginx names it: the client was gone before there was an answer."""


class Requests:
    """An application whose requests are told of. Every line of a request bears its id, and so do those of the
    generation that it begins; the response names it. A client that brings none, or what is none, gets one made.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or str(nanoid.generate())
        operation = scope["path"] in _OPERATIONS
        span = NOTHING if operation else _span(scope)
        status, began = _CLIENT_LEFT, time.monotonic()

        # Not a coroutine of its own: it stands in the way of every chunk, and costs 0.1 µs so.
        def answer(message: Message) -> Any:
            if message["type"] in _FIRST:
                nonlocal status
                status = message.get("status", _SWITCHED)
                named = (HEADER.lower().encode(), request_id.encode())
                message = {**message, "headers": [*secured(message.get("headers", ())), named]}
            return send(message)

        # Until the task ends, which is the request's own: a block for each would cost a viewer 1 KB.
        logs.note(request_id=request_id, trace_id=tracing.trace_id(span.traceparent))
        tracing.enter(span)
        try:
            await self._app(scope, receive, answer)
        finally:
            duration_ms = round((time.monotonic() - began) * 1000)
            tell = logs.debug if operation else logs.info
            known = {"method": _method(scope), "path": scope["path"][:_PATH_MAX_CHARACTERS]}
            tell(_log, "request", **known, status=status, duration_ms=duration_ms)
            _end(span, scope, status)


def _given(scope: Scope) -> str:
    given = header(scope, HEADER)
    return given.decode() if _ID.fullmatch(given) else ""


def header(scope: Scope, name: str) -> bytes:
    """The first header of this name; empty without one."""
    wanted = name.lower().encode()
    return next((value for each, value in scope["headers"] if each == wanted), b"")


def _span(scope: Scope) -> Span:
    if not tracing.wanted():
        return NOTHING
    method = _known(_method(scope))
    attributes = {"http.request.method": method, "url.path": scope["path"], "url.scheme": scope["scheme"]}
    came_from = (header(scope, name).decode("latin-1") for name in ("traceparent", "tracestate"))
    return tracing.span(_named(method), "server", attributes, *came_from)


def _method(scope: Scope) -> str:
    # A WebSocket's request is a GET, which its scope does not say.
    return str(scope.get("method", "GET"))


def _known(method: str) -> str:
    return method if method in _METHODS else "_OTHER"


def _named(method: str) -> str:
    return "HTTP" if method == "_OTHER" else method


def _end(span: Span, scope: Scope, status: int) -> None:
    if span is NOTHING:
        return
    about = logs.subject()
    attributes: dict[str, Any] = {"http.response.status_code": status}
    if "endpoint" in scope:
        route = scope["path"]
        for name, value in scope.get("path_params", {}).items():
            head, _, tail = route.rpartition(str(value))
            route = f"{head}{{{name}}}{tail}"
        attributes["http.route"] = route
        span.rename(f"{_named(_known(_method(scope)))} {route}")
    span.set({**attributes, **tracing.of_session(about.get("session", ""))})
    span.end(error=str(about.get("code", status)) if status >= 500 else "")
