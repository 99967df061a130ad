"""One tab of the page: what a reader sees in it, and does with it."""

import asyncio
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.processes import until

SHOWN_S = 20.0
"""A deadline and no claim: where others keep the machine busy, everything takes its time."""

_POLL_S = 0.05

expect.set_options(timeout=SHOWN_S * 1000)


def squeezed(text: str) -> str:
    """Without white space, of which Markdown makes what it likes."""
    return "".join(text.split())


def _difference(words: str, wanted: str) -> str:
    pairs = enumerate(zip(words, wanted, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(words), len(wanted)))
    return f"after {same} characters there is {words[same:][:80]!r} and not {wanted[same:][:80]!r}"


class Tab:
    """A page in a browser, by the names and roles that people and screen readers know it by."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(SHOWN_S * 1000)

    @property
    def question(self) -> Locator:
        """Where a question is written."""
        return self.page.get_by_role("textbox", name="Your question")

    def article(self, generation: int) -> Locator:
        """A question and its answer."""
        return self.page.locator(f'article[data-generation="{generation}"]')

    def button(self, name: str, within: Locator | None = None) -> Locator:
        """A button by its whole name."""
        return (within or self.page).get_by_role("button", name=name, exact=True)

    async def ask(self, question: str) -> None:
        """Write a question and send it."""
        await self.question.fill(question)
        await self.button("Send").click()

    async def words(self, generation: int = 1) -> str:
        """What there is of an answer now, without white space; empty where there is none."""
        return squeezed("".join(await self.article(generation).locator(".answer").all_text_contents()))

    async def shows(self, text: str, generation: int = 1, seconds: float = SHOWN_S) -> None:
        """Wait until an answer has these words and no others."""
        wanted = squeezed(text)

        async def shown() -> bool:
            return await self.words(generation) == wanted

        try:
            await until(shown, seconds, every_s=_POLL_S)
        except TimeoutError:
            raise AssertionError(_difference(await self.words(generation), wanted)) from None

    async def ended(self, text: str, status: str = "completed", generation: int = 1, seconds: float = SHOWN_S) -> None:
        """Wait until an answer has ended so, with these words."""
        await expect(self.article(generation)).to_have_attribute("data-status", status, timeout=seconds * 1000)
        await self.shows(text, generation)

    async def is_(self, connection: str, seconds: float = SHOWN_S) -> None:
        """Wait until the page says so of its connection."""
        state = self.page.locator("[data-connection]")
        await expect(state).to_have_attribute("data-connection", connection, timeout=seconds * 1000)

    async def witness(self, of: str) -> Any:
        """What the page has been seen doing, see witness.js."""
        return await self.page.evaluate(f"witness.{of}")

    async def crash(self) -> None:
        """Have the tab's process die as it stands."""
        devtools = await self.page.context.new_cdp_session(self.page)
        async with asyncio.timeout(SHOWN_S), self.page.expect_event("crash"):
            dying = asyncio.ensure_future(devtools.send("Page.crash"))
        # Nobody is left to answer it.
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
