"""The scripted vendor, and how many answers it is giving now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes.connection import Connection, Request
from tests.fakes.upstream import Upstream, listening


class Vendor(Upstream):
    """Counts who is being answered: connections alone say nothing, for the SDKs keep them for the next call."""

    def __init__(self) -> None:
        super().__init__()
        self.answering: dict[str, int] = {}
        """How many answers are being given, by prompt."""

    async def answer(self, request: Request, connection: Connection) -> None:
        """Answer, and count it for as long as somebody takes it."""
        prompt = request.prompt
        self.answering[prompt] = self.answering.get(prompt, 0) + 1
        try:
            await super().answer(request, connection)
        finally:
            self.answering[prompt] -= 1


@asynccontextmanager
async def running() -> AsyncIterator[Vendor]:
    """A vendor on a free port."""
    vendor = Vendor()
    async with listening(vendor):
        yield vendor
