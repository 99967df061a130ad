"""A reader: one browser with storage of its own, its tabs, and all that they ask the world for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext

from tests.web.tab import Tab

_HERE = Path(__file__).parent


class Reader:
    """A browser of one person, on one session of one origin."""

    def __init__(self, context: BrowserContext, origin: str, session: str) -> None:
        self.context = context
        self.origin = origin
        self.session = session
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    @property
    def connections(self) -> int:
        """How often a tab has connected to consume-stream so far."""
        return sum("/api/consume-stream" in url for url in self.requests)

    async def open(self, session: str | None = None, *, live: bool = True) -> Tab:
        """One tab more, on the reader's session or another; wait until it is live."""
        page = await self.context.new_page()
        tab = Tab(page)
        await page.goto(f"{self.origin}/?session={session or self.session}")
        if live:
            await tab.is_("live")
        return tab


@asynccontextmanager
async def reading(browser: Browser, origin: str, session: str, **options: Any) -> AsyncIterator[Reader]:
    """A reader while it lasts. An error that a tab did not catch fails the test."""
    context = await browser.new_context(**options)
    await context.add_init_script(path=_HERE / "witness.js")
    try:
        reader = Reader(context, origin, session)
        yield reader
        assert reader.errors == []
    finally:
        await context.close()
