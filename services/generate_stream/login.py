"""Signing in for browsers: a token becomes a cookie, for an EventSource can't set the header that bears it."""

import math
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.access.gate import COOKIE, Gate, bearer
from shared.access.identity import ANYBODY
from shared.http import ApiError

_COOKIE_MAX_BYTES = 4096
"""What every browser keeps of one cookie, its attributes included (RFC 6265, 6.1)."""

_NOBODY = {"owner": None, "expiresAt": None}


class Login:
    """The routes of signing in and out. Neither has a body."""

    def __init__(self, gate: Gate, *, sharing: bool) -> None:
        self._gate = gate
        self._sharing = sharing

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/api/login", self._state, methods=["GET"]),
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/logout", self._logout, methods=["POST"]),
        ]

    async def _state(self, request: Request) -> Response:
        """What a page asks before anything else: whether there is signing in, and whether somebody has."""
        state = {"auth": "jwt" if self._gate.required else "none", "sharing": self._sharing}
        try:
            identity = await self._gate.identity(request)
        except ApiError as error:
            if error.status != 401:
                raise
            identity = ANYBODY
        signed_in = identity is not ANYBODY
        # A page keeps what is one person's from the next: it has to know of a change, and no script reads the cookie.
        who = {"owner": identity.owner, "expiresAt": int(identity.expires_at)} if signed_in else _NOBODY
        return JSONResponse({**state, "signedIn": signed_in, **who})

    async def _login(self, request: Request) -> Response:
        if not self._gate.required:
            raise ApiError(409, "auth_off", "Nobody signs in here: REJOIN_AUTH is none.")
        # By its header alone: a cookie would only make itself again.
        token = bearer(request)
        identity = await self._gate.whose(token)
        left_s = max(1, math.ceil(identity.expires_at - time.time()))
        response = _with_cookie(token, left_s)
        if len(response.headers["set-cookie"]) > _COOKIE_MAX_BYTES:
            raise ApiError(413, "token_too_large", "No browser keeps a cookie of this size: send the token each time.")
        return response

    async def _logout(self, _: Request) -> Response:
        return _with_cookie("", 0)


def _with_cookie(value: str, max_age_s: int) -> Response:
    response = Response(status_code=204)
    response.set_cookie(COOKIE, value, max_age_s, path="/", secure=True, httponly=True, samesite="lax")
    return response
