"""Both services behind one address, as a client meets them."""

import signal
from collections.abc import AsyncIterator, Iterator

import nanoid
import pytest

from tests.client.running import Running
from tests.processes import Services


@pytest.fixture(scope="session")
async def origin(services: Services, page: None) -> AsyncIterator[str]:
    """The address of the one origin."""
    async with services.origin() as url:
        yield url


@pytest.fixture(autouse=True, scope="session")
def ctrl_c() -> Iterator[None]:
    """It means something to what is started from here, even if the tests run in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
async def nobody_stays(anyio_backend: str) -> AsyncIterator[None]:
    """Of a test that fails, too, no command goes on."""
    yield
    await Running.end_all()


@pytest.fixture
def session() -> str:
    """A session id that nothing has used before, and that looks like no option of a command."""
    return f"s{nanoid.generate()}"
