"""The descriptions say what the services do: the same routes, and every code with which one may refuse."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from services.consume_stream import openapi as consume
from services.consume_stream.app import App as Consume
from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream import openapi as generate
from services.generate_stream.app import App as Generate
from services.generate_stream.attempt import LOST_CODE
from services.generate_stream.providers import CODES
from services.generate_stream.settings import Settings as GenerateSettings
from shared.dialects.failures import status_of
from tests.openapi.raised import refusals
from tests.processes import Services

SERVICES = [
    pytest.param(generate.described, lambda on: Generate(GenerateSettings(doctor=on)), id="generate-stream"),
    pytest.param(consume.described, lambda on: Consume(ConsumeSettings(doctor=on)), id="consume-stream"),
]
_OF_ANSWERS = (*CODES, LOST_CODE)
MADE = {made for code in _OF_ANSWERS for made in ((502, code), (status_of(code), code))} | {
    # Of the tables in shared/http.py and shared/protocol.py, of queries' numbers and choices, of why a process is not
    # ready, of what is wrong with a token, of quotas.
    (400, "bad_request"), (404, "not_found"), (405, "method_not_allowed"), (414, "uri_too_long"),
    (431, "headers_too_large"), (400, "invalid_seconds"), (400, "invalid_every"), (400, "invalid_starting_after"),
    (400, "invalid_order"), (400, "invalid_limit"), (400, "invalid_generation"), (503, "draining"),
    (503, "redis_unavailable"), (401, "token_missing"), (401, "token_invalid"), (401, "token_expired"),
    (429, "too_many_starts"), (400, "invalid_field"),
    (400, "idempotency_key_reused"), (400, "tool_results_unexpected"), (429, "too_many_running_of_owner"),
    (429, "too_many_running_of_address"), (429, "too_many_tokens"), (429, "too_many_viewers_of_owner"),
    (429, "too_many_viewers_of_session"),
}  # fmt: skip
"""What is raised by names that a reader of the sources can't follow."""


def routes(app: Any) -> set[tuple[str, str]]:
    """Paths and methods. HEAD comes with each GET by itself."""
    while not isinstance(app, Starlette):
        app = app._app if hasattr(app, "_app") else app.app
    own = [route for route in app.routes if isinstance(route, Route)]
    sockets = [route for route in app.routes if isinstance(route, WebSocketRoute)]
    assert len(own) + len(sockets) == len(app.routes)
    assert {route.path for route in sockets} <= {route.path for route in own}
    return {
        (route.path.replace(":path}", "}"), method)
        for route in own
        for method in (route.methods or ())
        if method != "HEAD"
    }


def told(document: dict[str, Any]) -> set[tuple[int, str]]:
    """Every code that a description names, with its status."""
    responses = dict(document["components"]["responses"])
    responses |= {
        f"{status} {path} {method}": response
        for path, operations in document["paths"].items()
        for method, described in operations.items()
        for status, response in described["responses"].items()
    }
    return {
        (int(name.split()[0]), code)
        for name, response in responses.items()
        if int(name.split()[0]) >= 400
        for code in response["content"]["application/json"]["schema"]["properties"]["error"]["properties"]["code"][
            "enum"
        ]
    }


@pytest.mark.parametrize("doctor", [False, True], ids=["plain", "with the doctor"])
@pytest.mark.parametrize(("described", "made"), SERVICES)
def test_a_description_has_the_routes_that_there_are(
    described: Callable[..., dict[str, Any]], made: Callable[[bool], Any], doctor: bool
) -> None:
    paths = described(doctor=doctor)["paths"]
    assert {(path, method.upper()) for path in paths for method in paths[path]} == routes(made(doctor).asgi())


@pytest.mark.parametrize("described", [generate.described, consume.described], ids=[generate.SERVICE, consume.SERVICE])
def test_a_description_names_every_refusal_that_the_sources_know(described: Callable[..., dict[str, Any]]) -> None:
    document = described(doctor=True)
    raised = refusals(f"services/{document['info']['title'].replace('-', '_')}")
    assert len(raised) > 8
    assert not raised - told(document)
    assert not told(document) - raised - refusals("shared") - MADE


def test_what_both_may_refuse_with_is_told_by_one_at_least() -> None:
    both = told(generate.described(doctor=True)) | told(consume.described(doctor=True))
    assert len(refusals("shared")) > 8
    assert not refusals("shared") - both
    assert not MADE - both


@pytest.mark.parametrize("described", [generate.described, consume.described], ids=[generate.SERVICE, consume.SERVICE])
def test_a_description_is_whole(described: Callable[..., dict[str, Any]]) -> None:
    document = described(doctor=True)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = [each["operationId"] for operations in document["paths"].values() for each in operations.values()]
    assert len(names) == len(set(names))
    assert not [name for name in references(document) if name not in places(document)]


def references(value: Any) -> list[str]:
    """Every reference in it."""
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [name for each in value.values() for name in references(each)]
    return [name for each in value for name in references(each)] if isinstance(value, list) else []


def places(document: dict[str, Any]) -> set[str]:
    """What a reference may name."""
    return {f"#/components/{kind}/{name}" for kind, named in document["components"].items() for name in named}


@pytest.mark.anyio
@pytest.mark.any_redis
async def test_each_service_gives_out_its_own_description(services: Services) -> None:
    async with httpx2.AsyncClient(verify=False) as client:
        for service, module in ((services.generate, generate), (services.consume, consume)):
            response = await client.get(f"{service.url}/api/{module.SERVICE}/openapi.json")
            assert response.status_code == 200
            assert response.json() == module.described(doctor=False)
