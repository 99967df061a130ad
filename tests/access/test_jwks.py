"""Which published keys are used, and a process that follows them through all their changes."""

import math

import pytest

from deploy.leash import Leash
from shared.access import jwks
from shared.access.key_set import AGAIN_S
from tests.access.asking import ask, bearer, verdict
from tests.access.forgeries import UNFIT, unfit_members
from tests.fakes.issuer import SETTINGS, ec_key, issuing, public, rsa_key
from tests.processes import Service, until


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


@pytest.mark.anyio
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
