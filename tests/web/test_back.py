"""The Back button: a page that was left and is come back to, as the browser had put it aside, goes on."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from tests.consume_stream.facts import number_of_groups
from tests.fakes.upstream import Upstream
from tests.web.chromium import chromium
from tests.web.reader import Reader
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """A Chromium that puts pages aside, as people's do and Playwright's does not."""
    program = await asyncio.to_thread(chromium)
    environ: dict[str, str | float | bool] = {**os.environ, **program.environ}
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=program.path,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            ignore_default_args=["--disable-back-forward-cache"],
            env=environ,
        )
        yield launched
        await launched.close()


async def test_a_page_that_is_left_lets_go_and_goes_on_when_the_reader_comes_back(
    reader: Reader, redis_client: Any, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(told.sent)
    await tab.page.evaluate("window.same = true")
    left = tab.page.url
    await tab.page.goto(f"{reader.origin}/?session={session[::-1]}")
    await tab.is_("live")
    await number_of_groups(redis_client, session, 0)
    told.say(STEP)
    await tab.page.evaluate("setTimeout(() => history.back())")
    await tab.page.wait_for_url(left, wait_until="commit")
    await tab.shows(told.sent)
    # It is the page that was left, and none that was loaded anew.
    assert await tab.page.evaluate("window.same") is True
    await tab.is_("live")
    told.end()
    await tab.ended(told.sent)
    states = await tab.witness("connections")
    assert states[states.index("live") :] == ["live", "paused", "catching up", "live"]
