"""Requests that a foreign page makes a browser send: refused on every route that changes something, cookie or not."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from services.consume_stream.app import App as ConsumeApp
from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream.app import App as GenerateApp
from services.generate_stream.settings import Settings as GenerateSettings
from tests.access.asking import ask, bearer, cookie, verdict
from tests.access.conftest import FRIEND
from tests.fakes.issuer import by_secret
from tests.processes import Service, Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

EVIL = ("Origin", "https://evil.example")
REFUSED = (403, "origin_not_allowed")
FOREIGN = [(EVIL,), (("Origin", "null"),), (("Sec-Fetch-Site", "cross-site"),), (("Sec-Fetch-Site", "same-site"),)]
CHANGING = [
    "/api/generate-stream", "/api/stop-stream", "/api/delete-stream", "/api/share-stream", "/api/unshare-stream",
    "/api/login", "/api/logout", "/api/no-such-route", "/v1/chat/completions", "/api/chat",
    "/api/chat/{session}/stop",
    "/v1/responses", "/v1/responses/{response}/cancel",
]  # fmt: skip
STREAM = "/api/consume-stream?sessionId=no-session-yet&follow=session"
SESSION = "/api/sessions/no-session-yet"
POLL = "/api/read-stream?sessionId=no-session-yet&follow=session"


def own(service: Service) -> tuple[str, str]:
    """What a page of this very origin says."""
    return ("Origin", service.url)


def changing_routes(app: Any) -> set[str]:
    """Every route that takes a POST, as the application has it."""
    while not isinstance(app, Starlette):
        app = next(each for each in vars(app).values() if callable(each))  # what it is wrapped in
    return {route.path for route in app.routes if isinstance(route, Route) and "POST" in (route.methods or ())}


def test_every_route_that_changes_something_is_tried_here() -> None:
    apps = GenerateApp(GenerateSettings()).asgi(), ConsumeApp(ConsumeSettings()).asgi()
    found = [changing_routes(app) for app in apps]
    assert found[0]
    assert set().union(*found) <= set(CHANGING)


@pytest.mark.parametrize("path", [*CHANGING, "/api/consume-stream", "/healthz"])
@pytest.mark.parametrize("foreign", FOREIGN)
async def test_no_foreign_page_changes_anything(
    services: Services, guarded: Services, path: str, foreign: tuple[tuple[str, str], ...]
) -> None:
    for running, tokens in ((services, ()), (guarded, (cookie(by_secret()),)), (guarded, (bearer(by_secret()),))):
        service = running.consume if path == "/api/consume-stream" else running.generate
        response = await ask(service, path, "POST", *tokens, *foreign)
        assert verdict(response) == REFUSED
        assert "set-cookie" not in response.headers
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_no_other_method_gets_by(guarded: Services, method: str) -> None:
    assert verdict(await ask(guarded.generate, "/api/models", method, EVIL)) == REFUSED


async def test_pages_of_this_origin_and_programs_get_to_the_route(guarded: Services) -> None:
    service, token = guarded.generate, bearer(by_secret())
    for headers in ((own(service),), (own(service), ("Sec-Fetch-Site", "same-origin")), (("Origin", FRIEND),), ()):
        assert verdict(await ask(service, "/api/login", "POST", token, *headers)) == (204, "")
    assert verdict(await ask(service, "/api/login", "POST", token, ("Origin", FRIEND + ".evil"))) == REFUSED


async def test_a_cookie_is_no_good_to_a_foreign_page_even_to_read(guarded: Services) -> None:
    kept, service = cookie(by_secret()), guarded.generate
    reading = (
        (guarded.consume, STREAM),
        (guarded.consume, SESSION),
        (guarded.consume, POLL),
        (service, "/api/models"),
        (service, "/api/login"),
    )
    for foreign in FOREIGN:
        for asked, path in reading:
            assert verdict(await ask(asked, path, "GET", kept, ("Accept", "text/event-stream"), *foreign)) == REFUSED
    for headers in ((own(service),), (("Origin", FRIEND),), (("Sec-Fetch-Site", "same-origin"),), ()):
        assert verdict(await ask(service, "/api/models", "GET", kept, *headers)) == (200, "")
    # Who has the token itself got it from its issuer, and not from a browser that adds it unasked.
    assert verdict(await ask(service, "/api/models", "GET", bearer(by_secret()), EVIL)) == (200, "")


async def test_other_origins_are_answered_by_their_exact_names_with_credentials(guarded: Services) -> None:
    asks = ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization")
    for service, path in ((guarded.generate, "/api/login"), (guarded.consume, "/api/consume-stream")):
        for origin in (FRIEND, "https://evil.example", "https://friend.example.evil.example", "null"):
            named = FRIEND if origin == FRIEND else None
            preflight = await ask(service, path, "OPTIONS", ("Origin", origin), *asks)
            response = await ask(service, "/healthz", "GET", ("Origin", origin))
            for each in (preflight, response):
                assert each.headers.get("access-control-allow-origin") == named
                assert "Origin" in each.headers["vary"]
                assert "*" not in [value for name, value in each.headers.items() if name.startswith("access-control")]
            assert preflight.status_code == (200 if named else 400)
            assert response.headers["access-control-allow-credentials"] == "true"


async def test_a_friends_page_sees_why_it_was_not_let_in(guarded: Services) -> None:
    response = await ask(guarded.generate, "/api/models", "GET", ("Origin", FRIEND))
    assert verdict(response) == (401, "token_missing")
    assert response.headers["access-control-allow-origin"] == FRIEND
    exposed = response.headers["access-control-expose-headers"]
    assert "WWW-Authenticate" in exposed
    # By which a chat's client knows the number of what it has resumed, to stop that and to come back to it.
    assert "Content-Location" in exposed
    assert "x-should-retry" in exposed  # else OpenAI's client in a page would pay for what failed twice more


async def test_without_the_setting_no_other_origin_is_let_in(services: Services) -> None:
    response = await ask(services.generate, "/api/models", "GET", ("Origin", FRIEND))
    assert not [name for name in response.headers if name.startswith("access-control")]
