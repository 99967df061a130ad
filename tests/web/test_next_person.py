"""Another person at the same browser: nothing of the one before is theirs to see, nor asked in their name."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import until
from tests.web import tokens
from tests.web.reader import Reader, reading
from tests.web.tab import SHOWN_S, Tab
from tests.web.test_sessions import listed
from tests.web.test_sign_in import RENEW, SHORT_S, card, sign_in, signed_in

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

ANSWER = "what only Ada is told"
DRAFT = "what Ada has not asked yet"
HELD = "JSON.stringify({ ...sessionStorage })"


@pytest.fixture
async def shared_browser(browser: Browser, guarded: str, session: str) -> AsyncIterator[Reader]:
    """A browser that several people use."""
    async with reading(browser, guarded, session) as one:
        yield one


@pytest.fixture
def question(upstream: Upstream, session: str) -> str:
    """What Ada asks."""
    asked = f"Ada's question {session}"
    upstream.prompts[asked] = Script(text=(ANSWER,))
    return asked


async def asked(tab: Tab, question: str) -> None:
    """Ask, have the answer, and begin to write the next one."""
    await tab.ask(question)
    await tab.ended(ANSWER)
    await tab.question.fill(DRAFT)


async def begins_anew(tab: Tab, session: str) -> None:
    """Wait until a tab is as somebody's who comes for the first time, and holds nothing of who was here before."""

    async def elsewhere() -> bool:
        return parse_qs(urlsplit(tab.page.url).query).get("session", [session]) != [session]

    await until(elsewhere, SHOWN_S)
    await tab.is_("live")
    await expect(tab.page.locator("article")).to_have_count(0)
    await expect(tab.question).to_have_value("")
    for kept in (await tab.page.content(), await tab.page.title(), await tab.page.evaluate(HELD)):
        assert [words for words in ("Ada", ANSWER, session) if words in kept] == []


async def test_who_signs_in_over_anothers_end_sees_nothing_of_theirs_in_any_tab(
    shared_browser: Reader, upstream: Upstream, session: str, question: str
) -> None:
    tab = await shared_browser.open(live=False)
    await signed_in(tab, tokens.token("ada", SHORT_S))
    beside = await shared_browser.open()
    await asked(tab, question)
    await beside.ended(ANSWER)
    await beside.question.fill(DRAFT)
    for each in (tab, beside):
        await expect(card(each)).to_contain_text("Your sign-in has ended", timeout=3000 * SHORT_S)
    await sign_in(tab, tokens.token("bob"))
    for each in (tab, beside):
        await begins_anew(each, session)
    bobs = f"Bob's question {session}"
    upstream.prompts[bobs] = Script(text=("for Bob",))
    await tab.ask(bobs)
    await tab.ended("for Bob")
    await expect(listed(beside, bobs)).to_be_visible()
    await expect(listed(beside, question)).to_have_count(0)
    # And the other way round: her list is back, and has nothing of his.
    await shared_browser.context.clear_cookies()
    await tab.page.reload()
    await signed_in(tab, tokens.token("ada"))
    await listed(tab, question).click()
    await tab.ended(ANSWER)
    await expect(listed(tab, bobs)).to_have_count(0)
    assert "Bob" not in await tab.page.evaluate(HELD)
    await expect(listed(beside, question)).to_be_visible()
    await expect(listed(beside, bobs)).to_have_count(0)


async def test_a_question_that_waits_for_a_token_is_not_asked_in_anothers_name(
    shared_browser: Reader, session: str, question: str
) -> None:
    tab = await shared_browser.open(live=False)
    await signed_in(tab, tokens.token("ada"))
    await shared_browser.context.clear_cookies()
    await tab.ask(question)
    await expect(card(tab)).to_be_visible()
    await sign_in(tab, tokens.token("bob"))
    await begins_anew(tab, session)
    assert sum("/api/generate-stream" in url for url in shared_browser.requests) == 1


async def test_who_comes_back_after_a_refresh_finds_their_draft_and_another_does_not(
    shared_browser: Reader, session: str, question: str
) -> None:
    tab = await shared_browser.open(live=False)
    await signed_in(tab, tokens.token("ada"))
    await asked(tab, question)
    for person in ("ada", "bob"):
        await shared_browser.context.clear_cookies()
        await tab.page.reload()
        await expect(card(tab)).to_be_visible()
        await expect(tab.page.locator("article, nav")).to_have_count(0)
        await sign_in(tab, tokens.token(person))
        if person == "ada":
            await tab.ended(ANSWER)
            await expect(tab.question).to_have_value(DRAFT)
    await begins_anew(tab, session)


async def test_a_tab_hears_from_the_next_one_that_the_application_has_signed_in_another(
    shared_browser: Reader, session: str, question: str
) -> None:
    tab = await shared_browser.open(live=False)
    await signed_in(tab, tokens.token("ada"))
    await asked(tab, question)
    await tab.page.evaluate(RENEW, tokens.token("bob"))
    bobs = Tab(await shared_browser.context.new_page())
    await bobs.page.goto(shared_browser.origin)
    for each in (bobs, tab):
        await begins_anew(each, session)


async def test_a_new_browser_whose_reader_the_application_has_signed_in_keeps_their_list_for_them(
    shared_browser: Reader, session: str, question: str
) -> None:
    page = await shared_browser.context.new_page()
    await page.route("**/own.html", lambda route: route.fulfill(content_type="text/html", body="<title>own</title>"))
    await page.goto(f"{shared_browser.origin}/own.html")
    await page.evaluate(RENEW, tokens.token("ada"))
    tab = await shared_browser.open()
    await asked(tab, question)
    await expect(listed(tab, question)).to_be_visible()
    bare = Tab(await shared_browser.context.new_page())
    await bare.page.goto(shared_browser.origin)
    await bare.ended(ANSWER)
    await tab.button("Sign out").click()
    await expect(card(tab)).to_be_visible()
    await signed_in(tab, tokens.token("bob"))
    await begins_anew(tab, session)


async def test_a_tab_that_has_emptied_itself_to_be_left_asks_nobody_for_a_token(shared_browser: Reader) -> None:
    tab = await shared_browser.open(live=False)
    await signed_in(tab, tokens.token("ada"))
    await shared_browser.context.clear_cookies()
    async with tab.page.expect_response("**/api/login"):
        await tab.page.evaluate("document.body.replaceChildren(), dispatchEvent(new Event('focus'))")
    # By the time that the same is told once more, the page has done with the first.
    await tab.page.evaluate("fetch('/api/login').then((told) => told.json())")
