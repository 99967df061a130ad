"""The issuer's keys: fetched once for all who miss one, changed when it changes them, kept while it is away."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from shared.access import jwks, key_set
from shared.access.key_set import AGAIN_S, FRESH_S, KeysAway, KeySet
from tests.access.asking import ask, bearer, verdict
from tests.access.forgeries import UNFIT, unfit_members
from tests.fakes.issuer import SETTINGS, Issuer, ec_key, issuing, public, response, rsa_key
from tests.ports import free_port
from tests.processes import Service, until

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> AsyncIterator[KeySet]:
    """The keys of an issuer that may break."""
    found = KeySet(issuer.url, clock)
    yield found
    await found.close()


async def test_all_who_miss_a_key_wait_for_one_fetch(issuer: Issuer, keys: KeySet) -> None:
    found = await asyncio.gather(*(keys.find(kid) for kid in ("first", "curved", "no such") for _ in range(30)))
    assert [key and (key.key_id, key.algorithm_name) for key in found[::30]] == [
        ("first", "RS256"), ("curved", "ES256"), None,
    ]  # fmt: skip
    assert issuer.asked == 1
    assert await keys.find(None) is None
    assert issuer.asked == 1


async def test_who_gives_up_waiting_takes_the_fetch_from_nobody(issuer: Issuer, keys: KeySet) -> None:
    impatient = asyncio.create_task(keys.find("first"))
    patient = asyncio.create_task(keys.find("first"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    assert issuer.asked == 1


async def test_a_new_key_is_found_and_unknown_names_ask_no_more_often_than_they_may(
    issuer: Issuer, keys: KeySet, clock: Clock
) -> None:
    assert await keys.find("first")
    issuer.keys = {"second": rsa_key()}
    clock.now_s += AGAIN_S - 1
    assert [await keys.find(kid) for kid in ("second", "x", "y")] == [None] * 3
    assert issuer.asked == 1
    clock.now_s += 1
    assert await keys.find("second")
    assert [await keys.find(kid) for kid in ("first", "x", "y")] == [None] * 3
    assert issuer.asked == 2


async def test_a_key_that_was_withdrawn_is_forgotten_though_none_is_missing(
    issuer: Issuer, keys: KeySet, clock: Clock
) -> None:
    assert await keys.find("first")
    issuer.keys = {"curved": issuer.keys["curved"]}
    clock.now_s += FRESH_S + 1
    assert await keys.find("first"), "nobody waits for it"

    async def forgotten() -> bool:
        return await keys.find("first") is None

    await until(forgotten, 5)
    assert await keys.find("curved")
    assert issuer.asked == 2


def large(issuer: Issuer) -> bytes:
    return response(b" " * jwks.MAX_BYTES + issuer.document())


def moved(issuer: Issuer) -> bytes:
    return response(b"", "302 Found", f"location: {issuer.url}")


BREAKAGES: dict[str, Any] = {
    "nothing": lambda _: b"",
    "no HTTP": lambda _: b"SSH-2.0-OpenSSH_9.6\r\n",
    "an error": lambda issuer: response(issuer.document(), "500 Internal Server Error"),
    "another place": moved,
    "no JSON": lambda _: response(b"<html>"),
    "no text": lambda _: response(b"\xff\xfe\xff"),
    "half of it": lambda issuer: response(issuer.document())[:-20],
    "too much": large,
    "no object": lambda _: response(b"[]"),
    "no list": lambda _: response(b'{"keys": {"kty": "RSA"}}'),
    "no keys": lambda _: response(b'{"keys": []}'),
    "only unfit keys": lambda _: response(json.dumps({"keys": unfit_members()}).encode()),
    "bottomless": lambda _: response(b'{"keys":' + b"[" * 100_000),
}


@pytest.mark.parametrize("how", BREAKAGES)
async def test_a_document_that_makes_no_sense_takes_no_key_away(
    issuer: Issuer, keys: KeySet, clock: Clock, how: str
) -> None:
    issuer.reply = BREAKAGES[how](issuer)
    with pytest.raises(KeysAway) as raised:
        await keys.find("first")
    assert raised.value.retry_after_s == AGAIN_S
    clock.now_s += 4
    with pytest.raises(KeysAway) as raised:
        await keys.find("first")
    assert (raised.value.retry_after_s, issuer.asked) == (AGAIN_S - 4, 1)

    issuer.reply = None
    clock.now_s += AGAIN_S
    assert await keys.find("first")
    issuer.reply = BREAKAGES[how](issuer)
    clock.now_s += FRESH_S + 1
    assert await keys.find("no such") is None
    assert await keys.find("first")
    assert issuer.asked == 3


async def test_an_issuer_that_never_answers_is_waited_for_no_longer_than_is_bearable(
    issuer: Issuer, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT_S", 0.2)
    issuer.stalls = True
    began = time.monotonic()
    with pytest.raises(KeysAway):
        await keys.find("first")
    assert time.monotonic() - began < 2


async def test_who_waits_has_less_patience_than_a_fetch_may_need(
    issuer: Issuer, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_set, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(jwks, "TIMEOUT_S", 0.5)
    issuer.stalls = True
    with pytest.raises(KeysAway):
        await asyncio.gather(keys.find("first"), keys.find("curved"))
    assert issuer.asked <= 1, "one fetch, which goes on"


async def test_nobody_at_the_address(clock: Clock) -> None:
    keys = KeySet(f"http://127.0.0.1:{free_port()}/keys", clock)
    with pytest.raises(KeysAway):
        await keys.find("first")
    await keys.close()


def test_a_key_that_does_not_fit_is_none() -> None:
    assert len(unfit_members()) > len(UNFIT)
    for member in unfit_members():
        assert jwks.usable(member) is None, member


def test_keys_that_fit() -> None:
    for key, algorithm in ((rsa_key(), "RS256"), (ec_key(), "ES256")):
        for more in ({}, {"use": "sig"}, {"alg": algorithm}, {"key_ops": ["verify"]}):
            found = jwks.usable(public(key, kid="k", **more))
            assert found
            assert found.algorithm_name == algorithm


@pytest.mark.any_redis
async def test_a_process_follows_its_issuer_through_its_absence_and_its_new_keys(redis_url: str, leash: Leash) -> None:
    async with issuing() as issuer:
        issuer.reply = b""
        settings = SETTINGS | {"REJOIN_JWT_JWKS_URL": issuer.url, "REDIS_URL": redis_url}
        service = await Service("services.generate_stream", leash, settings).start()
        try:
            response = await ask(service, "/api/models", "GET", bearer(issuer.token()))
            assert verdict(response) == (503, "keys_unavailable")
            assert 1 <= int(response.headers["retry-after"]) <= math.ceil(AGAIN_S)
            assert verdict(await ask(service, "/api/models", "GET", bearer("token"))) == (401, "token_invalid")
            issuer.reply = None
            await let_in(service, issuer.token())

            issuer.keys = {"second": rsa_key(), **issuer.keys}
            await let_in(service, issuer.token("second"))
            issuer.reply = b""
            for kid in issuer.keys:
                assert verdict(await ask(service, "/api/models", "GET", bearer(issuer.token(kid)))) == (200, "")
            assert issuer.asked == 3
            assert service.log.count("the issuer's keys can't be fetched") == 1
        finally:
            await service.kill()


async def let_in(service: Service, token: str) -> None:
    """Wait until a token is taken: by then the keys may be asked for again, and have been."""

    async def taken() -> bool:
        return (await ask(service, "/api/models", "GET", bearer(token))).status_code == 200

    await until(taken, AGAIN_S + 5, every_s=0.2)
