"""What generate-stream tells of signing in and of sharing, in the words of its description."""

from shared.openapi import (
    ASKED,
    AWAY,
    BODY,
    FROM_ELSEWHERE,
    GENERATION,
    KNOWN,
    NO_SESSION,
    SESSION_ID,
    Refusals,
    Schema,
    answer,
    body,
    operation,
    parameter,
    ref,
)

_TEXT: Schema = {"type": "string"}
_UNIX_S: Schema = {"type": "integer", "description": "Unix time in seconds."}
_SHARE: dict[str, Schema] = {
    "shareId": _TEXT,
    "generation": {"anyOf": [GENERATION, {"type": "null"}], "description": "This one alone, or all there will be."},
    "expiresAt": _UNIX_S,
}
_LOGIN: Refusals = {409: ("auth_off",), 413: ("token_too_large",)}
_SHARED: Refusals = {409: ("sharing_off", "too_many_shares"), 422: ("generation_unknown",)}
_ID: Refusals = {400: ("invalid_session_id",)}


def _object(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _cookie(description: str) -> Schema:
    told = answer(description)
    told["headers"]["Set-Cookie"] = {"description": "HttpOnly, Secure, SameSite=Lax.", "schema": _TEXT}
    return told


SCHEMAS: dict[str, Schema] = {
    "SignedIn": _object(
        {
            "auth": {"enum": ["none", "jwt"]},
            "signedIn": {"type": "boolean"},
            "owner": {
                "anyOf": [_TEXT, {"type": "null"}],
                "description": "Who it is: the token's `sub`, with tenants `<tenant>:<sub>`; null where nobody is.",
            },
            "expiresAt": {"anyOf": [_UNIX_S, {"type": "null"}]},
            "sharing": {"type": "boolean", "description": "Whether links can be made."},
        }
    ),
    "Share": _object(_SHARE),
    "NewShare": _object({**_SHARE, "token": _TEXT, "url": {**_TEXT, "description": "Of the page, token included."}}),
    "Shares": _object({"shares": {"type": "array", "items": ref("Share")}}),
    "Revoked": _object({"revoked": {"type": "integer", "minimum": 0}}),
}

PATHS: dict[str, Schema] = {
    "/api/login": {
        "get": operation(
            "signedIn",
            "Whether there is signing in, and whether this client has.",
            {"200": answer("Asked before anything else.", ref("SignedIn"))},
            {503: ("keys_unavailable",)},
            FROM_ELSEWHERE,
            security=KNOWN,
        ),
        "post": operation(
            "login",
            "Make the bearer's token a cookie, for EventSource can send no header.",
            {"204": _cookie("Signed in until the token expires.")},
            ASKED,
            FROM_ELSEWHERE,
            _LOGIN,
            security=[{"bearer": []}],
        ),
    },
    "/api/logout": {
        "post": operation("logout", "Remove the cookie.", {"204": _cookie("Signed out.")}, FROM_ELSEWHERE),
    },
    "/api/share-stream": {
        "post": operation(
            "share",
            "Make a link by which anybody reads a session, or one generation of it.",
            {"201": answer("The token is told this once.", ref("NewShare"))},
            *(BODY, ASKED, FROM_ELSEWHERE, NO_SESSION, _SHARED, AWAY),
            requestBody=body("ShareBody"),
            security=KNOWN,
        ),
        "get": operation(
            "shares",
            "The links that are good now.",
            {"200": answer("The first to expire comes first.", ref("Shares"))},
            *(_ID, ASKED, FROM_ELSEWHERE, NO_SESSION, AWAY),
            parameters=[parameter("sessionId", SESSION_ID, "Whose links.", required=True)],
            security=KNOWN,
        ),
    },
    "/api/unshare-stream": {
        "post": operation(
            "unshare",
            "Revoke a link, or all of them: who reads by one is sent away.",
            {"200": answer("How many there were.", ref("Revoked"))},
            *(BODY, ASKED, FROM_ELSEWHERE, NO_SESSION, AWAY),
            requestBody=body("UnshareBody"),
            security=KNOWN,
        ),
    },
}
