"""The dialects as their clients meet them: one origin in front of both services, and the clients themselves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nanoid
import pytest
from openai import AsyncOpenAI

from deploy import node
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import Services

CLIENTS = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
async def front(services: Services) -> AsyncIterator[str]:
    """The address of the origin."""
    async with services.origin() as url:
        yield url


@pytest.fixture
def writer(redis_client: Any, session: str) -> OutsideWriter:
    """Writes the test's own session, as the test says."""
    return OutsideWriter(redis_client, session)


@pytest.fixture(scope="session")
async def node_clients() -> Path:
    """Where the clients for Node are installed: modules there import them by their names in its package.json."""
    await asyncio.to_thread(node.install, CLIENTS)
    return CLIENTS


@pytest.fixture
def prompt() -> str:
    """A question that no other test asks."""
    return f"What is {nanoid.generate()}?"


@pytest.fixture(scope="session")
async def client(front: str) -> AsyncIterator[AsyncOpenAI]:
    """OpenAI's own client, which knows nothing of us but the address."""
    async with AsyncOpenAI(base_url=f"{front}/v1", api_key="none") as client:
        yield client
