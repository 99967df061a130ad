"""What asks for a token, what shares, and what was shared: for eyes of any kind, fingers and keys.

With SCREENS=<folder> the pictures are left there, for people to look at.
"""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web import axe, tokens
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.test_accessibility import RICH
from tests.web.test_screens import DEVICES, Screens
from tests.web.test_sharing import dialog, link, visit
from tests.web.test_sign_in import card, sign_in, signed_in

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


@pytest.mark.parametrize("device", DEVICES)
async def test_every_card_is_whole_and_for_everybody(
    browser: Browser, guarded: str, upstream: Upstream, session: str, device: str
) -> None:
    await asyncio.to_thread(axe.install)
    screens = Screens(f"cards on a {device}", fingered=device != "desk")
    options = DEVICES[device] | {"reduced_motion": "reduce"}
    upstream.prompts[session] = Script(text=(RICH,))
    async with (
        reading(browser, guarded, session, **options) as owner,
        reading(browser, guarded, session, **options) as friend,
    ):
        await through_the_cards(owner, friend, screens, session)
    assert screens.faults == []


async def through_the_cards(owner: Reader, friend: Reader, screens: Screens, question: str) -> None:
    """All of them, and all that they may say."""

    async def take(tab: Tab, state: str) -> None:
        await screens.take(tab, state)
        assert await axe.grave_violations(tab.page) == []
        assert await tab.witness("refused") == []

    tab = await owner.open(live=False)
    await expect(card(tab)).to_be_visible()
    await take(tab, "sign in")
    await sign_in(tab, "no token")
    await card(tab).locator("summary").click()
    await expect(card(tab).get_by_role("alert")).to_be_visible()
    await take(tab, "refused")
    await signed_in(tab, tokens.token("ada"))
    await tab.ask(question)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    url = await link(tab, generation=1)
    await expect(dialog(tab).get_by_role("listitem")).to_have_count(1)
    await take(tab, "share")
    await tab.button("Close", dialog(tab)).click()

    read = await visit(friend, url)
    await expect(read.article(1)).to_have_attribute("data-status", "completed")
    await read.is_("ended")
    await take(read, "shared")
    if await tab.button("Conversations").is_visible():
        await tab.button("Conversations").click()
        await take(tab, "list with the way out")
        await tab.button("Close").click()
    await take(tab, "signed in")
    await owner.context.clear_cookies()
    # Not by the pointer: the page may notice by itself, and have its card before everything else.
    await tab.button("Share").dispatch_event("click")
    await expect(card(tab)).to_be_visible()
    await take(tab, "sign in again")
    await signed_in(tab, tokens.token("ada"))
    await tab.button("Revoke").click()
    await expect(dialog(tab).get_by_role("listitem")).to_have_count(0)
    await read.page.reload()
    await expect(read.page.get_by_role("alert")).to_be_visible()
    await take(read, "revoked")


async def test_keys_sign_in_and_share_and_escape_leads_back(
    browser: Browser, guarded: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    async with reading(browser, guarded, session) as owner:
        tab = await owner.open(live=False)
        keys = tab.page.keyboard
        await expect(card(tab).get_by_label("Token")).to_be_focused()
        # There is nothing behind it to go back to.
        await keys.press("Escape")
        await keys.press("Escape")
        await expect(card(tab)).to_be_visible()
        await keys.insert_text(tokens.token("ada"))
        await keys.press("Enter")
        await tab.is_("live")
        await expect(tab.question).to_be_focused()
        await keys.insert_text(session)
        await keys.press("Enter")
        await tab.ended("an answer")
        await tab.button("Share").focus()
        await keys.press("Enter")
        await expect(dialog(tab)).to_be_visible()
        await tab.button("Create link").focus()
        await keys.press("Enter")
        await expect(dialog(tab).get_by_label("The link.")).to_be_visible()
        await keys.press("Escape")
        await expect(dialog(tab)).to_have_count(0)
        await expect(tab.button("Share")).to_be_focused()
