"""Both services behind one address, as a client meets them."""

from collections.abc import AsyncIterator

import nanoid
import pytest

from tests.processes import Services


@pytest.fixture(scope="session")
async def origin(services: Services, page: None) -> AsyncIterator[str]:
    """The address of the one origin."""
    async with services.origin() as url:
        yield url


@pytest.fixture
def session() -> str:
    """A session id that nothing has used before, and that looks like no option of a command."""
    return f"s{nanoid.generate()}"
