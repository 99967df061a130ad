"""Sharing: routes by which an owner grants others leave to read, sees what is granted, and revokes it."""

import time
from collections.abc import Callable

import nanoid
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.generate_stream import reading
from services.generate_stream.bodies import ShareBody, UnshareBody
from services.generate_stream.log import Log
from shared import logs
from shared.access.gate import Gate
from shared.access.shares import Share, Shares
from shared.http import ApiError, no_session

_SHARES_MAX = 100
"""Of one session, at a time."""


class Sharing:
    """The routes about share links."""

    def __init__(self, gate: Gate, shares: Shares, log: Callable[[], Log]) -> None:
        self._gate = gate
        self._shares = shares
        self._log = log

    def routes(self) -> list[Route]:
        """To share, to list, to revoke."""
        return [
            Route("/api/share-stream", self._share, methods=["POST"]),
            Route("/api/share-stream", self._list, methods=["GET"]),
            Route("/api/unshare-stream", self._unshare, methods=["POST"]),
        ]

    async def _share(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        body = await reading.read(request, ShareBody, 0)
        logs.note(session=body.sessionId)
        if not self._shares.on:
            raise ApiError(409, "sharing_off", "Sharing takes REJOIN_AUTH=jwt and a secret that signs links.")
        expires_at = int(time.time()) + body.expiresInS
        share = Share(body.sessionId, body.generation, nanoid.generate(), expires_at)
        match await self._log().share(share, identity.owner, _SHARES_MAX):
            case "shared":
                token = self._shares.sign(share)
                url = f"/?session={share.session}#share={token}"
                return JSONResponse(_shown(share) | {"token": token, "url": url}, 201)
            case "full":
                raise ApiError(409, "too_many_shares", f"A session has {_SHARES_MAX} links at most: revoke some.")
            case "generation_unknown":
                raise ApiError(422, "generation_unknown", "generation: this session has no such generation.")
            case _:
                raise no_session()

    async def _list(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        session = reading.session_id(request.query_params.get("sessionId", ""))
        logs.note(session=session)
        shares = await self._log().shares(session, identity.owner)
        if shares is None:
            raise no_session()
        now = time.time()
        living = sorted((share for share in shares if share.expires_at > now), key=lambda share: share.expires_at)
        return JSONResponse({"shares": [_shown(share) for share in living]})

    async def _unshare(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        body = await reading.read(request, UnshareBody, 0)
        logs.note(session=body.sessionId)
        revoked = await self._log().unshare(body.sessionId, body.shareId, identity.owner)
        if revoked is None:
            raise no_session()
        return JSONResponse({"revoked": revoked})


def _shown(share: Share) -> dict[str, str | int | None]:
    return {"shareId": share.id, "generation": share.generation, "expiresAt": share.expires_at}
