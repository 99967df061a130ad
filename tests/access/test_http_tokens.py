"""Tokens over HTTP: whom a process lets in, and that nothing but the issuer's word opens it."""

import time
from typing import Any

import pytest

from tests.access.asking import ask, bearer, cookie, verdict
from tests.access.forgeries import FORGERIES
from tests.fakes.issuer import Issuer, by_secret
from tests.processes import Service, Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

IN, INVALID, OVER = (200, ""), (401, "token_invalid"), (401, "token_expired")

CLAIMS: list[tuple[str, Any, tuple[int, str]]] = [
    ("exp", -60, OVER),
    ("exp", -11, OVER),
    ("exp", -5, IN),  # within the leeway
    ("exp", ..., INVALID),
    ("exp", None, INVALID),
    ("exp", "9999999999", INVALID),
    ("exp", "soon", INVALID),
    ("exp", True, OVER),
    ("exp", [9999999999], INVALID),
    ("exp", float("inf"), INVALID),
    ("exp", float("nan"), INVALID),
    ("exp", 1e300, INVALID),
    ("exp", 10**400, INVALID),
    ("nbf", +60, INVALID),
    ("nbf", +5, IN),
    ("nbf", -60, IN),
    ("nbf", "now", INVALID),
    ("nbf", None, INVALID),
    ("iat", +60, INVALID),
    ("iat", +5, IN),
    ("iat", "now", INVALID),
    ("aud", "another", INVALID),
    ("aud", "rejoin-share", INVALID),
    ("aud", ["another", "rejoin"], IN),
    ("aud", ["another"], INVALID),
    ("aud", [], INVALID),
    ("aud", ["rejoin", 1], INVALID),
    ("aud", {"rejoin": 1}, INVALID),
    ("aud", "rejoi", INVALID),
    ("aud", ..., INVALID),
    ("iss", "https://evil.example", INVALID),
    ("iss", "https://id.example/", INVALID),
    ("iss", ["https://id.example"], INVALID),
    ("iss", ..., INVALID),
    ("sub", ..., INVALID),
    ("sub", None, INVALID),
    ("sub", "", INVALID),
    ("sub", 42, INVALID),
    ("sub", ["ada"], INVALID),
    ("sub", "a" * 256, IN),
    ("sub", "a" * 257, INVALID),
    ("sub", "ada\n", INVALID),
    ("sub", "ada\x00", INVALID),
    ("sub", "\ud800", INVALID),
    ("sub", "Ada Lovelace | ünïcode", IN),
    ("jti", 1, INVALID),
    ("org", "acme", IN),
]
TIMES = {"exp", "nbf", "iat"}


def changed(name: str, value: Any) -> dict[str, Any]:
    """A claim; the small numbers are seconds from now."""
    if name in TIMES and type(value) is int and abs(value) <= 60:
        value += int(time.time())
    return {name: value}


@pytest.mark.parametrize(("name", "value", "wanted"), CLAIMS)
async def test_what_a_token_must_say(
    guarded: Services, keyed: Service, publishing: Issuer, name: str, value: Any, wanted: tuple[int, str]
) -> None:
    claims = changed(name, value)
    for service, token in ((guarded.generate, by_secret(**claims)), (keyed, publishing.token(**claims))):
        response = await ask(service, "/api/models", "GET", bearer(token))
        assert verdict(response) == wanted
        assert token not in response.text


@pytest.mark.parametrize(("value", "wanted"), [("", INVALID), (7, INVALID), (None, INVALID), ("a\n", INVALID)])
async def test_a_tenant_is_a_name(keyed: Service, publishing: Issuer, value: Any, wanted: tuple[int, str]) -> None:
    assert verdict(await ask(keyed, "/api/models", "GET", bearer(publishing.token(org=value)))) == wanted


@pytest.mark.parametrize("kid", ["first", "curved"])
async def test_a_token_of_each_algorithm_lets_in(keyed: Service, publishing: Issuer, kid: str) -> None:
    assert verdict(await ask(keyed, "/api/models", "GET", bearer(publishing.token(kid)))) == IN


@pytest.mark.parametrize("how", FORGERIES)
async def test_a_forged_token_lets_nobody_in(keyed: Service, guarded: Services, publishing: Issuer, how: str) -> None:
    token = FORGERIES[how](publishing)
    for service in (keyed, guarded.generate):
        for header in (bearer(token), cookie(token)):
            response = await ask(service, "/api/models", "GET", header)
            assert verdict(response) == INVALID
            assert response.headers["www-authenticate"].startswith('Bearer realm="rejoin", error="invalid_token"')
            assert token not in f"{response.text}{response.headers}" or len(token) < 10
    assert "Traceback" not in keyed.log + guarded.generate.log


async def test_a_secret_of_another_lets_nobody_in(guarded: Services) -> None:
    token = by_secret("another secret, as long as it has to be")
    assert verdict(await ask(guarded.generate, "/api/models", "GET", bearer(token))) == INVALID


HEADERS: dict[str, tuple[list[str], tuple[int, str]]] = {
    "none": ([], (401, "token_missing")),
    "lower case": (["bearer {}"], IN),
    "upper case": (["BEARER {}"], IN),
    "blanks": (["Bearer   {}"], IN),
    "another scheme": (["Basic YTpi"], (401, "token_missing")),
    "no scheme": (["{}"], (401, "token_missing")),
    "no token": (["Bearer"], INVALID),
    "two tokens in one": (["Bearer {0} {0}"], INVALID),
    "a list": (["Bearer {0}, Bearer {0}"], INVALID),
    "quotes": (['Bearer "{}"'], INVALID),
    "two": (["Bearer {}", "Bearer {}"], INVALID),
    "two, one of another scheme": (["Basic YTpi", "Bearer {}"], INVALID),
    "no ASCII": (["Bearer \u00fc"], INVALID),
}


@pytest.mark.parametrize("how", HEADERS)
async def test_how_a_token_is_borne(guarded: Services, how: str) -> None:
    values, wanted = HEADERS[how]
    headers = [("Authorization", value.format(by_secret()).encode("latin-1")) for value in values]
    response = await ask(guarded.generate, "/api/models", "GET", *headers)  # type: ignore[arg-type]
    assert verdict(response) == wanted
    if wanted == (401, "token_missing"):
        assert response.headers["www-authenticate"] == 'Bearer realm="rejoin"'


async def test_a_bearer_comes_before_a_cookie(guarded: Services) -> None:
    good, bad = by_secret(), by_secret(exp=1)
    for borne, kept, wanted in ((good, bad, IN), (bad, good, OVER), ("-", good, INVALID)):
        response = await ask(guarded.generate, "/api/models", "GET", bearer(borne), cookie(kept))
        assert verdict(response) == wanted
    assert (
        verdict(await ask(guarded.generate, "/api/models", "GET", ("Authorization", "Basic YTpi"), cookie(good))) == IN
    )
    assert verdict(await ask(guarded.generate, "/api/models", "GET", cookie(""))) == (401, "token_missing")


async def test_who_only_looks_whether_it_lives_needs_no_token(guarded: Services) -> None:
    for service in (guarded.generate, guarded.consume):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await ask(service, path)).status_code == 200


async def test_an_open_door_is_told_of_once_and_a_guarded_one_not(services: Services, guarded: Services) -> None:
    for running, times in ((services, 1), (guarded, 0)):
        for service in (running.generate, running.consume):
            assert service.log.count("REJOIN_AUTH is none") == times
