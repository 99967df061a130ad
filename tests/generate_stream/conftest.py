"""Who calls generate-stream, and the processes beside the common one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import Service, Services, vendor_settings

MODULE = "services.generate_stream"


@pytest.fixture
def caller(services: Services, redis_client: Any, session: str) -> Caller:
    """A client of the common process."""
    return Caller(services.generate, redis_client, session)


@pytest.fixture(scope="session")
async def replica(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Service]:
    """A second process beside the common one, on the same Redis."""
    service = Service(MODULE, leash, vendor_settings(upstream.url) | {"REDIS_URL": redis_url})
    yield await service.start()
    await service.kill()


@pytest.fixture
def elsewhere(replica: Service, redis_client: Any, session: str) -> Caller:
    """The same client, sent to the replica."""
    return Caller(replica, redis_client, session)


@pytest.fixture(scope="session")
async def tight_service(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Service]:
    """A process with small limits."""
    limits = {
        "REJOIN_SESSION_GENERATIONS_MAX": "2",
        "REJOIN_RUNNING_MAX": "5",
        "REJOIN_ANSWER_MAX_BYTES": "64",
        "REJOIN_STALL_TIMEOUT_S": "1",
    }
    service = Service(MODULE, leash, vendor_settings(upstream.url) | {"REDIS_URL": redis_url} | limits)
    yield await service.start()
    await service.kill()


@pytest.fixture
def tight(tight_service: Service, redis_client: Any, session: str) -> Caller:
    """A client of the process with small limits."""
    return Caller(tight_service, redis_client, session)
