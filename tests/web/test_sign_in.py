"""Where tokens are asked for: to sign in, an end in mid-answer that costs no word, to sign out; alike in all tabs."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Route, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import until
from tests.web import tokens
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100
SHORT_S = 8.0
"""As long as a token is good that is to end in mid-answer: to sign in and to ask must fit in."""

CARDS = """{
  globalThis.cards = 0
  new MutationObserver(() => { globalThis.cards += document.querySelectorAll('dialog').length })
    .observe(document, { subtree: true, childList: true })
}"""
RENEW = "(token) => fetch('/api/login', { method: 'POST', headers: { Authorization: `Bearer ${token}` } })"
"""What an application does, which the page does not hear of."""


@pytest.fixture
async def guest(browser: Browser, guarded: str, session: str) -> AsyncIterator[Reader]:
    """Someone who has not signed in yet."""
    async with reading(browser, guarded, session) as one:
        yield one


def card(tab: Tab) -> Locator:
    """What asks for a token."""
    return tab.page.get_by_role("dialog", name="Sign in")


async def sign_in(tab: Tab, token: str) -> None:
    """Paste a token."""
    await card(tab).get_by_label("Token").fill(token)
    await tab.button("Sign in").click()


async def signed_in(tab: Tab, token: str) -> None:
    """Paste a token, and wait until it is taken."""
    await sign_in(tab, token)
    await expect(card(tab)).to_have_count(0)
    await tab.is_("live")


async def test_who_signs_in_asks_and_reads_and_is_still_signed_in_after_a_refresh(
    guest: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await guest.open(live=False)
    await expect(card(tab)).to_contain_text("the application that this page belongs to signs you in")
    await expect(tab.question).to_have_count(0)
    await signed_in(tab, tokens.token("ada"))
    await tab.ask(session)
    await tab.ended("an answer")
    await tab.page.reload()
    await tab.ended("an answer")
    await expect(card(tab)).to_have_count(0)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (tokens.token("ada", secret="another secret, and as long as that"), "token"),
        (tokens.token("ada", -60), "a new one"),
        ("Bearer not a token", "That is no token"),
        ("a.b.c", "token"),
    ],
    ids=["another's", "expired", "none", "like one"],
)
async def test_a_token_that_is_no_good_is_refused_in_plain_words_and_is_in_no_address(
    guest: Reader, token: str, words: str
) -> None:
    tab = await guest.open(live=False)
    await sign_in(tab, token)
    alert = card(tab).get_by_role("alert")
    await expect(alert).to_contain_text(re.compile(words))
    assert token not in await alert.inner_text()
    assert [url for url in guest.requests if token in url] == []
    await signed_in(tab, tokens.token("ada"))


async def test_a_token_that_ends_in_mid_answer_costs_no_word_and_doubles_none(
    guest: Reader, upstream: Upstream, session: str
) -> None:
    told = Telling(upstream, session)
    tab = await guest.open(live=False)
    await signed_in(tab, tokens.token("ada", SHORT_S))
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(told.sent)
    await expect(card(tab)).to_contain_text("Your sign-in has ended")
    # The answer goes on meanwhile, and what was read stays.
    told.say(STEP)
    assert await tab.words()
    connections = guest.connections
    await signed_in(tab, tokens.token("ada"))
    await tab.shows(told.sent)
    told.end()
    await tab.ended(told.sent)
    assert guest.connections == connections + 1
    last = next(url for url in reversed(guest.requests) if "/api/consume-stream" in url)
    assert "lastEventId=" in last


async def test_a_token_that_the_application_renews_is_not_asked_for(
    guest: Reader, upstream: Upstream, session: str
) -> None:
    told = Telling(upstream, session)
    tab = await guest.open(live=False)
    await signed_in(tab, tokens.token("ada", SHORT_S))
    await tab.page.evaluate(CARDS)
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(told.sent)
    before = guest.connections
    await tab.page.evaluate(RENEW, tokens.token("ada"))
    await until(lambda: connected(guest, before + 1), 3 * SHORT_S)
    told.end()
    await tab.ended(told.sent)
    await tab.is_("live")
    assert await tab.page.evaluate("cards") == 0


async def test_who_signs_in_again_in_one_tab_goes_on_in_all_over_one_connection(
    guest: Reader, upstream: Upstream, session: str
) -> None:
    told = Telling(upstream, session)
    first = await guest.open(live=False)
    await signed_in(first, tokens.token("ada", SHORT_S))
    second = await guest.open()
    await first.ask(session)
    told.say(STEP)
    for tab in (first, second):
        await tab.shows(told.sent)
        await expect(card(tab)).to_be_visible()
    before = guest.connections
    await signed_in(second, tokens.token("ada"))
    await expect(card(first)).to_have_count(0)
    told.end()
    for tab in (first, second):
        await tab.ended(told.sent)
    assert guest.connections == before + 1


async def test_a_question_that_is_refused_waits_for_the_token_and_is_asked_once(
    guest: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await guest.open(live=False)
    await signed_in(tab, tokens.token("ada"))
    await guest.context.clear_cookies()
    await tab.ask(session)
    await expect(card(tab)).to_be_visible()
    await signed_in(tab, tokens.token("ada"))
    await tab.ended("an answer")
    await expect(tab.question).to_have_value("")
    await expect(tab.page.locator("article")).to_have_count(1)


async def test_who_signs_out_leaves_nothing_to_be_seen_in_any_tab(
    guest: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await guest.open(live=False)
    await signed_in(tab, tokens.token("ada"))
    beside = await guest.open()
    await tab.ask(session)
    await beside.ended("an answer")
    await tab.button("Sign out").click()
    for each in (tab, beside):
        await expect(card(each)).to_be_visible()
        await expect(each.page.locator("article, nav")).to_have_count(0)
        assert session not in each.page.url
        assert await each.page.evaluate("JSON.stringify({ ...sessionStorage })") == "{}"
    await tab.page.reload()
    await expect(card(tab)).to_be_visible()
    # Somebody else finds nothing at this address.
    await signed_in(tab, tokens.token("bob"))
    await expect(tab.page.locator("article")).to_have_count(0)


async def test_where_browsers_keep_no_sign_in_the_card_says_why(guest: Reader, session: str) -> None:
    elsewhere = "http://chat.example"
    page = await guest.context.new_page()

    async def answer(route: Route) -> None:
        if "/api/consume-stream" in route.request.url:
            await route.abort()
            return
        # That fetch would keep the cookie which the browser won't.
        await guest.context.clear_cookies()
        url = route.request.url.replace(elsewhere, guest.origin)
        headers = {**route.request.headers, "origin": guest.origin, "sec-fetch-site": "same-origin"}
        await route.fulfill(response=await route.fetch(url=url, headers=headers))

    await page.route(f"{elsewhere}/**", answer)
    tab = Tab(page)
    await page.goto(f"{elsewhere}/?session={session}")
    await expect(card(tab).get_by_role("alert")).to_contain_text("Open it over HTTPS")
    await sign_in(tab, tokens.token("ada"))
    await expect(card(tab).get_by_role("alert").last).to_contain_text("this browser did not keep it")


async def connected(reader: Reader, times: int) -> bool:
    return reader.connections >= times
