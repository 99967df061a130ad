"""The Back button: a page that was left and is come back to, as the browser had put it aside, goes on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.consume_stream.facts import number_of_groups
from tests.fakes.upstream import Upstream
from tests.web import chromium
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100
HAPPENS = "(type) => { dispatchEvent(new PageTransitionEvent(type, { persisted: true })) }"


async def test_a_page_that_is_left_lets_go_and_goes_on_when_the_reader_comes_back(
    reader: Reader, redis_client: Any, upstream: Upstream, session: str
) -> None:
    tab, told = await reader.open(), Telling(upstream, session)
    await begun(tab, told, session)
    await tab.page.evaluate(HAPPENS, "pagehide")
    await number_of_groups(redis_client, session, 0)
    told.say(STEP)
    await tab.page.evaluate(HAPPENS, "pageshow")
    await goes_on(tab, told)


@pytest.mark.skipif(chromium.whole() is None, reason="a Chromium without a head puts no page aside")
async def test_it_does_so_in_a_whole_browser(
    whole_reader: Reader, redis_client: Any, upstream: Upstream, session: str
) -> None:
    tab, told = await whole_reader.open(), Telling(upstream, session)
    await begun(tab, told, session)
    await tab.page.evaluate("window.same = true")
    left = tab.page.url
    await tab.page.goto(f"{whole_reader.origin}/?session={session[::-1]}")
    await tab.is_("live")
    await number_of_groups(redis_client, session, 0)
    told.say(STEP)
    await tab.page.evaluate("setTimeout(() => history.back())")
    await tab.page.wait_for_url(left, wait_until="commit")
    await tab.shows(told.sent)
    # It is the page that was left, and none that was loaded anew.
    assert await tab.page.evaluate("window.same") is True
    await goes_on(tab, told)


@pytest.fixture
async def whole_reader(origin: str, session: str) -> AsyncIterator[Reader]:
    """Someone whose browser puts pages aside, as people's do and Playwright's does not."""
    program = chromium.whole()
    assert program
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=program.path,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        async with reading(launched, origin, session) as one:
            yield one
        await launched.close()


async def begun(tab: Tab, told: Telling, session: str) -> None:
    """An answer is being read."""
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(told.sent)


async def goes_on(tab: Tab, told: Telling) -> None:
    """It has what was said meanwhile, and reads to the end."""
    await tab.shows(told.sent)
    await tab.is_("live")
    told.end()
    await tab.ended(told.sent)
    states = await tab.witness("connections")
    assert states[states.index("live") :] == ["live", "paused", "catching up", "live"]
