"""The processes of consume-stream beside the common one, and who writes what they read."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.leash import Leash
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import Service

MODULE = "services.consume_stream"


@pytest.fixture
def writer(redis_client: Any, session: str) -> OutsideWriter:
    """Writes the test's own session."""
    return OutsideWriter(redis_client, session)


@pytest.fixture(scope="session")
async def brisk(redis_url: str, leash: Leash) -> AsyncIterator[Service]:
    """A process that waits for nothing long: what takes half a minute elsewhere takes a second here."""
    times = {
        "REJOIN_PING_S": "0.2",
        "REJOIN_RECHECK_S": "0.3",
        "REJOIN_LEASE_S": "0.1",
        "REJOIN_SEND_TIMEOUT_S": "1",
    }
    service = Service(MODULE, leash, {"REDIS_URL": redis_url} | times)
    yield await service.start()
    await service.kill()


@pytest.fixture(scope="session")
async def narrow(redis_url: str, leash: Leash) -> AsyncIterator[Service]:
    """A process with few places."""
    places = {"REJOIN_VIEWERS_MAX": "3", "REJOIN_VIEWERS_PER_SESSION_MAX": "2"}
    service = Service(MODULE, leash, {"REDIS_URL": redis_url} | places)
    yield await service.start()
    await service.kill()
