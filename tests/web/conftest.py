"""The page as readers have it: built, served by the origin in front of both services, in a real Chromium."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from deploy.leash import Leash
from tests.fakes.upstream import Upstream
from tests.ports import free_port
from tests.processes import Service, Services
from tests.proxy import Proxy
from tests.system.own_process import CONSUME
from tests.web import tokens
from tests.web.chromium import chromium
from tests.web.reader import Reader, reading

_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--in-process-gpu",
)  # fmt: skip
"""Its last: the GPU's part is played by the processor, and a process of its own for that costs more."""


@pytest.fixture(scope="session")
async def house(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services for the page alone: their viewers can be counted, and consume-stream comes back to its address."""
    running = Services(redis_url, leash, vendors=upstream.url)
    # A short ping: by it a page notices that its line has gone dead.
    settings = {"REDIS_URL": redis_url, "REJOIN_PORT": str(free_port()), "REJOIN_PING_S": "1"}
    running.consume = Service(CONSUME, leash, settings)
    async with running:
        yield running


@pytest.fixture(scope="session")
async def origin(house: Services) -> AsyncIterator[str]:
    """The address of the page."""
    async with house.origin() as url:
        yield url


@pytest.fixture(scope="session")
async def guarded(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[str]:
    """The address of a page that asks who reads."""
    async with (
        Services(redis_url, leash, vendors=upstream.url, **tokens.SETTINGS) as services,
        services.origin() as url,
    ):
        yield url


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """A Chromium, in which every reader has a context of his own.

    It ends with this process, however that ends: its driver hears the end of their pipe.
    """
    program = await asyncio.to_thread(chromium)
    environ: dict[str, str | float | bool] = {**os.environ, **program.environ}
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=program.path, args=list(_ARGUMENTS), env=environ)
        yield launched
        await launched.close()


@pytest.fixture
async def reader(browser: Browser, origin: str, session: str) -> AsyncIterator[Reader]:
    """Someone who reads the session."""
    async with reading(browser, origin, session) as one:
        yield one


@pytest.fixture
async def other_reader(browser: Browser, origin: str, session: str) -> AsyncIterator[Reader]:
    """Someone else, on the same session."""
    async with reading(browser, origin, session) as another:
        yield another


@pytest.fixture
async def line(origin: str) -> AsyncIterator[Proxy]:
    """A network of one's own on the way to the origin, to be broken."""
    async with Proxy(origin.replace("http:", "redis:")) as between:
        yield between
