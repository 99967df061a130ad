"""The gate: who sends a request, and whether it comes from a page that may send it."""

import logging
import math
import re
from collections.abc import Awaitable, Callable
from typing import Self

from starlette.datastructures import URL
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import logs
from shared.access.identity import ANYBODY, Identity
from shared.access.key_set import KeysAway, KeySet
from shared.access.origins import Origins
from shared.access.tokens import Claims, Keys, Refused, Secret, Tokens
from shared.http import ApiError, cors, error_response
from shared.settings import Settings

COOKIE = "__Host-rejoin"
"""The prefix keeps other hosts of the domain, and pages without TLS, from setting it."""

_log = logging.getLogger(__name__)

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+) *", re.IGNORECASE)
_SAFE = ("GET", "HEAD", "OPTIONS")


class Gate:
    """Who asks. Without authentication it is anybody, and only their origin is looked at."""

    def __init__(self, tokens: Tokens | None, cors_origins: tuple[str, ...] = ()) -> None:
        self._tokens = tokens
        self._origins = Origins(cors_origins)
        self.middleware = [*cors(cors_origins), Middleware(_OfItsOrigin, self.check_origin)]
        """What each request passes before it reaches its route."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The gate that the settings ask for."""
        if settings.auth == "none":
            return cls(None, settings.cors_origins)
        assert settings.jwt_issuer
        assert settings.jwt_audience
        claims = Claims(
            settings.jwt_issuer, settings.jwt_audience, settings.jwt_leeway_s, settings.jwt_tenant_claim or None
        )
        return cls(Tokens(_keys(settings), claims), settings.cors_origins)

    def open(self) -> None:
        """From here on it is passed; that anybody may is told of."""
        if self._tokens is None:
            logs.warning(_log, "REJOIN_AUTH is none: who reaches this port may read and stop all they know the id of")

    @property
    def required(self) -> bool:
        """Whether a token is asked for."""
        return self._tokens is not None

    async def identity(self, request: HTTPConnection) -> Identity:
        """Who sent it: by the token that it bears, else by its cookie. Raises ApiError."""
        if self._tokens is None:
            return ANYBODY
        token = bearer(request)
        if not token:
            token = request.cookies.get(COOKIE, "")
            if token:
                # A browser adds the cookie whoever makes it ask; a token is added by who has it.
                self.check_origin(request)
        return await self.whose(token)

    async def whose(self, token: str) -> Identity:
        """Whose token this is; an empty one is none. Raises ApiError."""
        if self._tokens is None:
            return ANYBODY
        if not token:
            raise _unauthorized("token_missing", "This needs a token: Authorization: Bearer <token>.")
        try:
            return await self._tokens.identity(token)
        except Refused as refused:
            raise _unauthorized(refused.code, f"{refused}.") from None
        except KeysAway as away:
            wait = {"Retry-After": str(math.ceil(away.retry_after_s))}
            raise ApiError(503, "keys_unavailable", "Tokens can't be verified just now.", headers=wait) from None

    def check_origin(self, request: HTTPConnection) -> None:
        """Raise ApiError for what a page of another origin has a browser send."""
        if not self._origins.allows(request.headers):
            raise ApiError(403, "origin_not_allowed", "Pages of this origin may not ask for this.")

    async def close(self) -> None:
        """Let go of the keys."""
        if self._tokens:
            await self._tokens.close()


def bearer(request: HTTPConnection) -> str:
    """The token of the Authorization header; empty without one. Another scheme is somebody else's: a proxy's, perhaps.

    Raises ApiError for two such headers, of which one program might see the first and another the second.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise _unauthorized("token_invalid", "There is more than one Authorization header.")
    if not headers or headers[0].partition(" ")[0].lower() != "bearer":
        return ""
    found = _BEARER.fullmatch(headers[0])
    if not found:
        raise _unauthorized("token_invalid", "The token is malformed.")
    return found[1]


def _keys(settings: Settings) -> Keys:
    if settings.jwt_secret:
        return Secret(settings.jwt_secret)
    assert settings.jwt_jwks_url
    return KeySet(settings.jwt_jwks_url)


def _unauthorized(code: str, message: str) -> ApiError:
    # RFC 6750, section 3: no error is named to who has brought no token.
    fault = "" if code == "token_missing" else f', error="invalid_token", error_description="{message}"'
    return ApiError(401, code, message, headers={"WWW-Authenticate": f'Bearer realm="rejoin"{fault}'})


class _OfItsOrigin:
    """An application whose state is changed only from pages that may, by whatever method but the safe ones; and read by
    WebSocket, to which no rule of a browser's keeps foreign pages from listening.
    """

    def __init__(self, app: ASGIApp, check: Callable[[HTTPConnection], None]) -> None:
        self._app = app
        self._check = check

    # No coroutine of its own, which would live as long as a viewer.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _SAFE):
            try:
                self._check(HTTPConnection(scope))
            except ApiError as error:
                return error_response(error, URL(scope=scope))(scope, receive, send)
        return self._app(scope, receive, send)
