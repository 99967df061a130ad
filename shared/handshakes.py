"""Handshakes of WebSockets that meet an unexpected error: they are answered as every request that does."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Unexpected = Callable[[HTTPConnection, Exception], Awaitable[Response]]


class Handshakes:
    """An application whose handshakes are answered whatever happens, which Starlette does for requests alone.

    The error is raised again after that, and the server logs it with its trace.
    """

    def __init__(self, app: ASGIApp, unexpected: Unexpected) -> None:
        self._app = app
        self._unexpected = unexpected

    # No coroutine of its own for those that are none, which would live as long as a viewer.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self._shake_hands if scope["type"] == "websocket" else self._app)(scope, receive, send)

    async def _shake_hands(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        def answer(message: Message) -> Any:
            nonlocal answered
            answered = True
            return send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if not answered:
                response = await self._unexpected(HTTPConnection(scope), error)
                await response(scope, receive, send)
            raise
