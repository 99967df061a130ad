"""Whose a token is: the owner it names, the tenants kept apart, and nothing that comes ever a bug of ours."""

import asyncio
import contextlib
import hmac
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from shared.access.gate import COOKIE, Gate
from shared.access.identity import ANYBODY
from shared.access.tokens import MAX_CHARACTERS
from shared.http import ApiError
from shared.settings import Settings
from tests.access.forgeries import assembled, encoded
from tests.fakes.issuer import SECRET, SETTINGS, by_secret, claims
from tests.shared.strategies import bounded

BY_SECRET = SETTINGS | {"REJOIN_JWT_SECRET": SECRET}
PLAIN, TENANTS = (Gate.of(Settings.read(BY_SECRET | more)) for more in ({}, {"REJOIN_JWT_TENANT_CLAIM": "org"}))
CLAIM = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda each: st.lists(each, max_size=3)
)


def request(*headers: tuple[str, bytes]) -> Request:
    raw = [(name.encode(), value) for name, value in headers]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


class _Refused(Exception):
    """With 401, and in no other way."""


def owner(gate: Gate, token: str) -> str:
    try:
        return asyncio.run(gate.identity(request(("authorization", f"Bearer {token}".encode())))).owner
    except ApiError as error:
        raise (_Refused(error.code) if error.status == 401 else error) from None


def refusal(gate: Gate, *headers: tuple[str, bytes]) -> str:
    with pytest.raises(ApiError) as raised:
        asyncio.run(gate.identity(request(*headers)))
    assert raised.value.status == 401
    return raised.value.code


@pytest.mark.parametrize(
    ("tenant", "subject", "wanted"),
    [
        ("acme", "ada", "acme:ada"),
        ("acme:ada", "", None),
        ("a:b", "c", "a%3Ab:c"),
        ("a", "b:c", "a:b:c"),
        ("a%3Ab", "c", "a%253Ab:c"),
        ("a/b ü", "c", "a%2Fb%20%C3%BC:c"),
        (..., "ada", ":ada"),
    ],
)
def test_tenants_whose_subjects_are_the_same_are_kept_apart(tenant: Any, subject: str, wanted: str | None) -> None:
    token = by_secret(org=tenant, sub=subject)
    if wanted is None:
        assert refusal(TENANTS, ("authorization", f"Bearer {token}".encode())) == "token_invalid"
        return
    assert owner(TENANTS, token) == wanted
    assert owner(PLAIN, token) == subject


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=256).filter(str.isprintable)


@bounded
@given(st.none() | NAMES, NAMES, st.none() | NAMES, NAMES)
def test_no_two_have_one_owner(tenant: str | None, subject: str, other_tenant: str | None, other: str) -> None:
    both = [(tenant, subject), (other_tenant, other)]
    owners = {owner(TENANTS, by_secret(org=... if t is None else t, sub=s)) for t, s in both}
    assert len(owners) == len(set(both))


def test_a_right_ends_when_its_token_does_and_names_its_owner() -> None:
    until = int(time.time()) + 5
    found = asyncio.run(PLAIN.identity(request(("authorization", f"Bearer {by_secret(exp=until)}".encode()))))
    assert (found.owner, found.expires_at) == ("ada", until)
    assert (found.right.field, found.right.value) == ("owner", "ada")


@bounded
@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "iss", "aud", "sub", "org", "jti"]), CLAIM, min_size=1))
def test_whatever_a_signed_token_says_lets_in_or_is_refused(said: dict[str, Any]) -> None:
    token = assembled({"alg": "HS256"}, claims(**said), lambda text: hmac.digest(SECRET.encode(), text, "sha256"))
    for gate in (PLAIN, TENANTS):
        with contextlib.suppress(_Refused):
            assert owner(gate, token).endswith(said.get("sub", "ada"))


@bounded
@given(st.binary(max_size=300))
def test_whatever_stands_in_the_header_is_refused(value: bytes) -> None:
    assert refusal(PLAIN, ("authorization", value)) in ("token_missing", "token_invalid")
    assert refusal(PLAIN, ("authorization", b"Bearer " + value)) == "token_invalid"
    cookie = COOKIE.encode() + b"=" + value
    assert refusal(PLAIN, ("cookie", cookie)) in ("token_missing", "token_invalid")


@bounded
@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    token = by_secret()
    at = data.draw(st.integers(0, len(token) - 1))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="
    letter = data.draw(st.sampled_from([each for each in letters if each != token[at]]))
    changed = token[:at] + letter + token[at + 1 :]
    assert refusal(PLAIN, ("authorization", f"Bearer {changed}".encode())) == "token_invalid"


def test_what_is_too_long_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.access.tokens.jwt", None)  # whoever reads a token reads it with this
    for length in (MAX_CHARACTERS + 1, 60_000):
        assert refusal(PLAIN, ("authorization", b"Bearer " + b"a" * length)) == "token_invalid"
    with pytest.raises(AttributeError):
        owner(PLAIN, "a" * MAX_CHARACTERS)


def test_where_nobody_is_asked_everybody_is_anybody() -> None:
    gate = Gate.of(Settings())
    for value in (b"", b"Bearer " + encoded(b"x").encode(), b"\xff"):
        assert asyncio.run(gate.identity(request(("authorization", value)))) is ANYBODY
    assert (gate.required, PLAIN.required) == (False, True)
