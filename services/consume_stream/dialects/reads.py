"""Reads that were sent on from generate-stream: the same requests by a longer path."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.dialects.reads import without_prefix


class SentOn:
    """An application that takes them as if they had come at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    # No coroutine of its own, which would live as long as a viewer.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and (path := without_prefix(scope["path"])) != scope["path"]:
            raw_path = without_prefix(scope["raw_path"].decode("latin-1")).encode("latin-1")
            scope = {**scope, "path": path, "raw_path": raw_path}
        return self._app(scope, receive, send)
