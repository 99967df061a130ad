"""An issuer, and processes that let in only whom it has signed for."""

from collections.abc import AsyncIterator

import pytest

from deploy.leash import Leash
from tests.access.forgeries import unfit_members
from tests.fakes.issuer import SECRET, SETTINGS, Issuer, issuing
from tests.fakes.upstream import Upstream
from tests.processes import Service, Services

FRIEND = "https://friend.example"
"""The one other origin whose pages may call."""


@pytest.fixture(scope="session")
async def publishing(anyio_backend: str) -> AsyncIterator[Issuer]:
    """The issuer of the processes: keys that fit, among others that don't."""
    async with issuing() as issuer:
        issuer.besides = unfit_members()
        yield issuer


@pytest.fixture
async def issuer(anyio_backend: str) -> AsyncIterator[Issuer]:
    """An issuer of one's own, to be broken."""
    async with issuing() as own:
        yield own


@pytest.fixture(scope="session")
async def guarded(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """One process of each service that takes tokens by a secret."""
    settings = SETTINGS | {"REJOIN_JWT_SECRET": SECRET, "REJOIN_CORS_ORIGINS": FRIEND}
    async with Services(redis_url, leash, vendors=upstream.url, **settings) as running:
        yield running


@pytest.fixture(scope="session")
async def keyed(redis_url: str, leash: Leash, publishing: Issuer) -> AsyncIterator[Service]:
    """A generate-stream that takes tokens by its issuer's keys."""
    settings = SETTINGS | {"REJOIN_JWT_JWKS_URL": publishing.url, "REDIS_URL": redis_url}
    service = Service("services.generate_stream", leash, settings | {"REJOIN_JWT_TENANT_CLAIM": "org"})
    yield await service.start()
    await service.kill()
