"""Shared links: read along without signing in, live, no more than was shared, and no longer than its owner wants."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web import tokens
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.telling import Telling
from tests.web.test_sign_in import card, signed_in

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100
REVOKED_S = 1.0
REVOKED = "This link was revoked"
OWNER = "ada.of.elsewhere"
SECRET_WORDS = "what nobody else may read"


@pytest.fixture
async def owner(browser: Browser, guarded: str, session: str) -> AsyncIterator[Reader]:
    """Whoever asks, and shares."""
    async with reading(browser, guarded, session) as one:
        yield one


@pytest.fixture
async def friend(browser: Browser, guarded: str, session: str) -> AsyncIterator[Reader]:
    """Whoever has the link, and nothing else."""
    async with reading(browser, guarded, session) as one:
        yield one


async def opened(owner: Reader) -> Tab:
    """The owner's tab, signed in."""
    tab = await owner.open(live=False)
    await signed_in(tab, tokens.token(OWNER))
    return tab


def dialog(tab: Tab) -> Locator:
    """Where links are made and revoked."""
    return tab.page.get_by_role("dialog", name="Share")


async def link(tab: Tab, generation: int | None = None) -> str:
    """Share the conversation, or one answer; returns the link."""
    opening = tab.button("Share") if generation is None else tab.button("Share answer", tab.article(generation))
    await opening.click()
    await tab.button("Create link").click()
    made = dialog(tab).get_by_label("The link.")
    await expect(made).to_have_value(re.compile("#share="))
    return await made.input_value()


async def visit(friend: Reader, url: str) -> Tab:
    """A tab on the link."""
    tab = Tab(await friend.context.new_page())
    await tab.page.goto(url)
    return tab


class Traffic:
    """All that a page is told, and all that it asks for."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.asked: list[str] = []

    def holds(self, text: str) -> bool:
        """Whether some of it went over the line."""
        return any(text in each for each in (*self.told, *self.asked))


@asynccontextmanager
async def heard(page: Page) -> AsyncIterator[Traffic]:
    """The traffic of a page, frames of event streams too."""
    traffic = Traffic()
    devtools = await page.context.new_cdp_session(page)
    devtools.on("Network.eventSourceMessageReceived", lambda said: traffic.told.append(said["data"]))
    devtools.on("Network.requestWillBeSentExtraInfo", lambda said: traffic.asked.append(str(said["headers"])))
    await devtools.send("Network.enable")
    yield traffic


async def test_a_shared_conversation_is_read_live_without_signing_in_and_nothing_else_can_be_done(
    owner: Reader, friend: Reader, upstream: Upstream, session: str
) -> None:
    told = Telling(upstream, session)
    tab = await opened(owner)
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(told.sent)
    url = await link(tab)
    read = await visit(friend, url)
    await expect(read.page.get_by_text("Shared with you, read-only")).to_be_visible()
    await read.shows(told.sent)
    told.say(STEP)
    await read.shows(told.sent)
    await expect(tab.page.get_by_text("2 watching")).to_be_visible()
    told.end()
    await read.ended(told.sent)
    # The next question is read along too.
    upstream.prompts[f"{session} 2"] = Script(text=("the ", "next"))
    await tab.button("Close").click()
    await tab.ask(f"{session} 2")
    await read.ended("the next", generation=2)
    await expect(card(read)).to_have_count(0)
    await expect(read.page.locator("textarea, nav, select")).to_have_count(0)
    names = {await button.inner_text() for button in await read.page.get_by_role("button").all()}
    assert names <= {"Copy answer", "Copy code", "Jump to the end"}
    assert await read.page.evaluate("Object.keys(localStorage)") == []
    assert await friend.context.cookies() == []


async def test_one_shared_answer_is_all_that_is_told_and_its_end_is_the_end(
    owner: Reader, friend: Reader, upstream: Upstream, session: str
) -> None:
    before = f"{SECRET_WORDS} {session} 1"
    upstream.prompts[before] = Script(text=(SECRET_WORDS,))
    tab = await opened(owner)
    await tab.ask(before)
    await tab.ended(SECRET_WORDS)
    told = Telling(upstream, f"{session} 2")
    await tab.ask(told.prompt)
    told.say(STEP)
    await tab.shows(told.sent, generation=2)
    told.end()
    await tab.ended(told.sent, generation=2)
    url = await link(tab, generation=2)
    read = Tab(await friend.context.new_page())
    async with heard(read.page) as traffic:
        await read.page.goto(url)
        await read.ended(told.sent, generation=2)
        await read.is_("ended")
        await expect(read.page.locator("article")).to_have_count(1)
        assert traffic.told
        assert not traffic.holds(SECRET_WORDS)
        assert not traffic.holds(OWNER)


async def test_the_token_of_a_link_goes_where_it_opens_something_and_nowhere_else_and_survives_a_refresh(
    owner: Reader, friend: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await opened(owner)
    await tab.ask(session)
    await tab.ended("an answer")
    url = await link(tab)
    token = url.partition("#share=")[2]
    read = Tab(await friend.context.new_page())
    async with heard(read.page) as traffic:
        await read.page.goto(url)
        await read.ended("an answer")
        await read.page.reload()
        await read.ended("an answer")
        assert read.page.url == url
        assert traffic.asked
        assert not any(token in headers and "eferer" in headers for headers in traffic.asked)
    bearing = {request.split("?")[0] for request in friend.requests if token in request.split("#")[0]}
    assert bearing <= {f"{friend.origin}/api/consume-stream", f"{friend.origin}/api/sessions/{session}"}
    assert token not in await read.page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")


async def test_a_reader_of_a_revoked_link_is_told_so_within_a_second_and_reads_no_more(
    owner: Reader, friend: Reader, upstream: Upstream, session: str
) -> None:
    told = Telling(upstream, session)
    tab = await opened(owner)
    await tab.ask(session)
    url = await link(tab)
    told.say(STEP)
    read = await visit(friend, url)
    await read.shows(told.sent)
    await tab.button("Revoke").click()
    await expect(read.page.get_by_role("alert")).to_contain_text(REVOKED, timeout=REVOKED_S * 1000)
    await expect(read.page.locator("article")).to_have_count(0)
    await read.page.reload()
    await expect(read.page.get_by_role("alert")).to_contain_text(REVOKED)
    # The owner, whose stream was looked at too, has lost nothing.
    await tab.button("Close").click()
    told.end()
    await tab.ended(told.sent)


async def test_links_that_lead_nowhere_say_why(friend: Reader, owner: Reader, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await opened(owner)
    await tab.ask(session)
    await tab.ended("an answer")
    url = await link(tab)
    broken = await visit(friend, url[:-3])
    await expect(broken.page.get_by_role("alert")).to_contain_text("This link is not whole")
    expired = await visit(friend, f"{url.partition('#')[0]}#share={tokens.expired_link(session)}")
    await expect(expired.page.get_by_role("alert")).to_contain_text("This link has expired")
    # The same tab, and the whole link pasted into it: only the fragment differs.
    await broken.page.evaluate("(url) => { location.href = url }", url)
    await broken.ended("an answer")


async def test_links_are_listed_with_their_end_and_each_is_revoked_by_itself(
    owner: Reader, upstream: Upstream, session: str
) -> None:
    tab = await opened(owner)
    await tab.button("Share").click()
    await tab.button("Create link").click()
    await expect(dialog(tab).get_by_role("alert")).to_contain_text("There is nothing to share yet")
    await tab.button("Close").click()
    upstream.prompts[session] = Script(text=("an ", "answer"))
    await tab.ask(session)
    await tab.ended("an answer")
    await tab.button("Share answer").click()
    dialog_ = dialog(tab)
    await expect(dialog_.get_by_label("This answer")).to_be_checked()
    await tab.button("Create link").click()
    await expect(dialog_.get_by_role("listitem")).to_have_count(1)
    await dialog_.get_by_label("The whole conversation").check()
    await dialog_.get_by_label("Expires after").select_option(label="1 hour")
    await tab.button("Create link").click()
    items = dialog_.get_by_role("listitem")
    await expect(items).to_have_count(2)
    # The soonest to end comes first.
    await expect(items.nth(0)).to_contain_text("The whole conversation, until")
    await expect(items.nth(1)).to_contain_text("Turn 1, until")
    await tab.button("Revoke", items.nth(0)).click()
    await expect(items).to_have_count(1)
    await expect(items.nth(0)).to_contain_text("Turn 1")
