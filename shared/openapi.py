"""The OpenAPI description of a service: what both say in the same words, and the route that gives it out."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared import keys
from shared.access.gate import COOKIE
from shared.http import OPERATION_ROUTES
from shared.requests import HEADER
from shared.version import VERSION

Schema = dict[str, Any]
Refusals = Mapping[int, Sequence[str]]
"""The error codes that a route may answer with, by status."""

SESSION_ID: Schema = {"type": "string", "pattern": f"^{keys.SESSION}$", "description": "One conversation."}
POSITION: Schema = {
    "type": "string",
    # A few more fit into 64 bits, which no pattern says shortly.
    "pattern": r"^(0|[0-9]{1,19}-[0-9]{1,19})$",
    "description": "The id of an entry, two numbers of 64 bits; 0 is before the first.",
}
IDEMPOTENCY_KEY: Schema = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^[!-~]([ -~]*[!-~])?$"}
GENERATION: Schema = {"type": "integer", "minimum": 1, "maximum": 2**31}
AWAY: Refusals = {503: ("redis_unavailable", "redis_refused")}
"""Wherever Redis is asked."""

JSON_BODY: Refusals = {
    400: ("invalid_json", "invalid_request", "invalid_session_id"),
    408: ("request_timeout",),
    413: ("body_too_large",),
    415: ("unsupported_media_type",),
}
"""Of a body as JSON."""
BODY: Refusals = {**JSON_BODY, 422: ("unknown_field", "invalid_field")}
"""Of one in a form of our own."""

ASKED: Refusals = {401: ("token_missing", "token_invalid", "token_expired"), 503: ("keys_unavailable",)}
"""Wherever it matters who asks: with REJOIN_AUTH=jwt."""

FROM_ELSEWHERE: Refusals = {403: ("origin_not_allowed",)}
"""Wherever something is changed, or somebody was known by a cookie."""

NO_SESSION: Refusals = {404: ("session_not_found",)}
KNOWN: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"cookie": []}]
"""What a request may bring to be known by: nothing where REJOIN_AUTH is none, else one of the two."""

ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "Stable: for programs."},
                "message": {"type": "string", "description": "For people."},
                "type": {
                    "type": "string",
                    "description": "Under /v1: the class of the error, as clients there know it.",
                },
                "param": {"type": ["string", "null"], "description": "Under /v1."},
            },
        },
        "sessionId": SESSION_ID,
        "generation": GENERATION,
        "streamUrl": {"type": "string", "format": "uri-reference"},
    },
}
_REQUEST_ID: Schema = {
    "description": "What each line of the log about this request bears: the client's own, or one made here.",
    "schema": {"type": "string"},
}
_RETRY_AFTER: Schema = {
    "description": "Seconds.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
_CHALLENGE: Schema = {"description": "Bearer, and what is wrong: RFC 6750.", "schema": {"type": "string"}}
_HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Challenge"}, 429: {"Retry-After": "RetryAfter"}, 503: {"Retry-After": "RetryAfter"},
}  # fmt: skip
_SCHEMES: Schema = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Set by POST /api/login."},
}


_OF_ANYTHING: Refusals = {
    400: ("bad_request",), 404: ("not_found",), 405: ("method_not_allowed",), 408: ("request_timeout",),
    414: ("uri_too_long",), 431: ("headers_too_large",),
}  # fmt: skip
"""Of no operation: what any path, method or bytes may be answered with."""


def answer(description: str, schema: Schema | None = None, media_type: str = "application/json") -> Schema:
    """A response."""
    told: Schema = {"description": description, "headers": {HEADER: {"$ref": "#/components/headers/RequestId"}}}
    if schema is not None:
        told["content"] = {media_type: {"schema": schema}}
    return told


def refused(*tables: Refusals) -> dict[str, Schema]:
    """The responses of all these refusals, one for each status with its codes."""
    codes: dict[int, list[str]] = {}
    for status, several in ((status, several) for table in tables for status, several in table.items()):
        named = codes.setdefault(status, [])
        named += [code for code in several if code not in named]
    return {str(status): _refusal(status, several) for status, several in sorted(codes.items())}


def operation(name: str, summary: str, responses: Mapping[str, Schema], *refusals: Refusals, **more: Any) -> Schema:
    """A route under one method. Whatever goes wrong unforeseen is a 500."""
    all_responses = {**responses, **refused(*refusals, {500: ("internal_error",)})}
    return {"operationId": name, "summary": summary, "responses": all_responses, **more}


def body(schema: str, *, required: bool = True) -> Schema:
    """A request's body by the name of its schema."""
    return {"required": required, "content": {"application/json": {"schema": ref(schema)}}}


def parameter(name: str, schema: Schema, description: str, where: str = "query", *, required: bool = False) -> Schema:
    """A parameter."""
    return {"name": name, "in": where, "required": required, "schema": schema, "description": description}


def ref(name: str) -> Schema:
    """One of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def document(service: str, summary: str, paths: Mapping[str, Schema], schemas: Mapping[str, Schema]) -> Schema:
    """The whole description of a service; the routes that both have are added."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": service,
            "version": VERSION,
            "summary": summary,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {**paths, path_of(service): {"get": _itself()}, **_OPERATIONS},
        "components": {
            "schemas": {**schemas, "Error": ERROR},
            "headers": {"RequestId": _REQUEST_ID, "RetryAfter": _RETRY_AFTER, "Challenge": _CHALLENGE},
            "securitySchemes": _SCHEMES,
            "responses": refused(_OF_ANYTHING),
        },
    }


def path_of(service: str) -> str:
    """Where a service describes itself."""
    return f"/api/{service}/openapi.json"


def route(service: str, described: Schema) -> Route:
    """The route that gives it out, to everybody."""

    async def give(_: Request) -> Response:
        return JSONResponse(described)

    return Route(path_of(service), give, methods=["GET"])


def _itself() -> Schema:
    return operation("describe", "This description.", {"200": answer("OpenAPI 3.1.", {"type": "object"})})


def _refusal(status: int, codes: Sequence[str]) -> Schema:
    named = {"error": {"properties": {"code": {"enum": list(codes)}}}}
    told = answer(", ".join(codes), {**ref("Error"), "properties": named})
    told["headers"] |= {
        name: {"$ref": f"#/components/headers/{header}"} for name, header in _HEADERS.get(status, {}).items()
    }
    return told


def _operation_route(path: str) -> Schema:
    name = path.strip("/")
    summary = {"healthz": "Alive?", "readyz": "Ready for new work?", "metrics": "For Prometheus."}[name]
    not_ready = {503: ("draining", "redis_unavailable")} if name == "readyz" else {}
    return {"get": operation(name, summary, {"200": answer("Text.", {"type": "string"}, "text/plain")}, not_ready)}


_OPERATIONS = {route.path: _operation_route(route.path) for route in OPERATION_ROUTES}
