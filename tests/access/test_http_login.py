"""Signing in: a token becomes a cookie that no script reads, no foreign page uses, and that ends with it."""

import re
import time

import pytest

from tests.access.asking import COOKIE, ask, bearer, cookie, verdict
from tests.fakes.issuer import SECRET, SETTINGS, by_secret
from tests.processes import Service, Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


def set_cookie(value: str) -> tuple[str, set[str], int]:
    """A Set-Cookie: its pair, its attributes, and how long it is kept."""
    pair, *attributes = value.split("; ")
    said = {each.lower() for each in attributes}
    [age] = [each for each in said if each.startswith("max-age=")]
    return pair, said - {age}, int(age.removeprefix("max-age="))


ATTRIBUTES = {"httponly", "secure", "samesite=lax", "path=/"}
"""And no Domain: with the prefix of its name, a browser keeps it for this host alone."""


@pytest.mark.parametrize("body", [b"", b"{}", b"no JSON", b"x" * 70_000])
async def test_a_token_becomes_a_cookie_that_ends_with_it(guarded: Services, body: bytes) -> None:
    token = by_secret(exp=int(time.time()) + 600)
    response = await ask(guarded.generate, "/api/login", "POST", bearer(token), content=body)
    assert (response.status_code, response.content) == (204, b"")
    pair, attributes, age = set_cookie(response.headers["set-cookie"])
    assert (pair, attributes) == (f"{COOKIE}={token}", ATTRIBUTES)
    assert 590 <= age <= 600
    assert verdict(await ask(guarded.generate, "/api/models", "GET", ("Cookie", pair))) == (200, "")


async def test_a_token_within_the_leeway_is_a_cookie_for_the_rest_of_it(guarded: Services) -> None:
    response = await ask(guarded.generate, "/api/login", "POST", bearer(by_secret(exp=int(time.time()) - 3)))
    assert 5 <= set_cookie(response.headers["set-cookie"])[2] <= 7


async def test_signing_out_takes_the_cookie_away(guarded: Services, services: Services) -> None:
    for running, headers in ((guarded, ()), (guarded, (cookie(by_secret()),)), (services, ())):
        response = await ask(running.generate, "/api/logout", "POST", *headers)
        assert response.status_code == 204
        pair, attributes, age = set_cookie(response.headers["set-cookie"])
        assert (pair.replace('"', ""), attributes, age) == (f"{COOKIE}=", ATTRIBUTES, 0)


@pytest.mark.parametrize("value", ["", '""'])
async def test_a_cookie_that_was_taken_away_is_none(guarded: Services, value: str) -> None:
    assert verdict(await ask(guarded.generate, "/api/models", "GET", cookie(value))) == (401, "token_missing")


async def test_only_a_good_token_becomes_a_cookie(guarded: Services) -> None:
    for headers, wanted in (
        ((), "token_missing"),
        ((cookie(by_secret()),), "token_missing"),
        ((bearer("token"),), "token_invalid"),
        ((bearer(by_secret(exp=1)),), "token_expired"),
    ):
        response = await ask(guarded.generate, "/api/login", "POST", *headers)
        assert verdict(response) == (401, wanted)
        assert "set-cookie" not in response.headers


async def test_a_token_that_no_browser_would_keep_is_refused(guarded: Services) -> None:
    taken = refused = 0
    for length in range(2600, 3200, 20):
        token = by_secret(pad="x" * length)
        response = await ask(guarded.generate, "/api/login", "POST", bearer(token))
        if response.status_code == 204:
            assert len(response.headers["set-cookie"]) <= 4096
            taken = max(taken, len(token))
        else:
            assert verdict(response) == (413, "token_too_large")
            assert "set-cookie" not in response.headers
            refused = min(refused or len(token), len(token))
    assert 3900 < taken < refused < 4096
    large = by_secret(pad="x" * 5000)
    assert verdict(await ask(guarded.generate, "/api/models", "GET", bearer(large))) == (200, "")


async def test_a_page_asks_first_who_it_is(guarded: Services, services: Services) -> None:
    until = int(time.time()) + 600
    good, whoever = by_secret(sub="ada", exp=until), by_secret(sub="Bob / Åsa:1", exp=until)
    none = {"auth": "jwt", "signedIn": False, "owner": None, "expiresAt": None, "sharing": True}
    for headers, wanted in (
        ((), none),
        ((cookie(by_secret(exp=1)),), none),
        ((cookie("token"),), none),
        ((bearer("token"), bearer("token")), none),
        ((cookie(good),), none | {"signedIn": True, "owner": "ada", "expiresAt": until}),
        ((bearer(good),), none | {"signedIn": True, "owner": "ada", "expiresAt": until}),
        ((cookie(whoever),), none | {"signedIn": True, "owner": "Bob / Åsa:1", "expiresAt": until}),
    ):
        response = await ask(guarded.generate, "/api/login", "GET", *headers)
        assert (response.status_code, response.json()) == (200, wanted)
    response = await ask(services.generate, "/api/login", "GET", bearer(good))
    assert response.json() == none | {"auth": "none", "sharing": False}


async def test_without_authentication_nobody_signs_in(services: Services) -> None:
    assert verdict(await ask(services.generate, "/api/login", "POST", bearer(by_secret()))) == (409, "auth_off")
    assert verdict(await ask(services.generate, "/api/models", "GET", bearer("token"), cookie("token"))) == (200, "")


async def test_no_log_has_a_token_or_a_secret(guarded: Services) -> None:
    token = by_secret(sub="whoever this is")
    for headers in ((bearer(token),), (cookie(token),), (bearer(token[:-2] + "AA"),)):
        for method in ("GET", "POST"):
            await ask(guarded.generate, "/api/login", method, *headers)
    metrics = (await ask(guarded.generate, "/metrics")).text
    for text in (guarded.generate.log, guarded.consume.log, metrics):
        assert not re.search(r"eyJ|whoever this is", text)
        assert SECRET not in text


@pytest.mark.parametrize("module", ["services.generate_stream", "services.consume_stream"])
async def test_a_process_whose_settings_can_not_work_says_so_in_one_line(guarded: Services, module: str) -> None:
    service = Service(module, guarded.generate.leash, SETTINGS)
    with pytest.raises(AssertionError, match="ended at its start"):
        await service.start()
    assert service.log == "REJOIN_AUTH jwt takes exactly one of REJOIN_JWT_SECRET and REJOIN_JWT_JWKS_URL\n"
