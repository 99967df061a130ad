"""The network goes, or the server: the page says so, comes back by itself, and has every word once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.proxy import Proxy
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100

NOTICED_S = 15.0
"""A page gives its line up after two pings that did not come; here there is one a second."""

AT_ONCE_S = 1.0
AWAY_S = 10.0
BACK_S = 2.0

EVERY_S = 0.1
"""A word as often: no pause is long enough to be taken for the end of what was missed."""


async def one_way_back(tab: Tab) -> None:
    """The claim: since the tab was live for the first time, it has said of its connection this and nothing else."""
    await tab.is_("live")
    states = await tab.witness("connections")
    assert states[states.index("live") :] == ["live", "reconnecting", "catching up", "live"]


@pytest.mark.parametrize("told_so", [True, False], ids=["and the browser knows", "in silence"])
async def test_a_reader_whose_network_goes_and_comes_back_has_every_word_once(
    browser: Browser, line: Proxy, other_reader: Reader, upstream: Upstream, session: str, told_so: bool
) -> None:
    async with reading(browser, f"http://127.0.0.1:{line.port}", session) as reader:
        tab, elsewhere = await reader.open(), await other_reader.open()
        told = Telling(upstream, session)
        await tab.ask(session)
        told.say(STEP)
        await tab.shows(before := told.sent)
        # Chromium's own "offline" leaves open what is open: the line has to go dead as well.
        line.drop("requests")
        line.drop("replies")
        await reader.context.set_offline(told_so)
        told.say(STEP)
        # Those who have a network go on.
        await elsewhere.shows(told.sent)
        await tab.is_("reconnecting", AT_ONCE_S if told_so else NOTICED_S)
        await tab.shows(before)
        await line.heal()
        await reader.context.set_offline(False)
        await tab.shows(told.sent)
        await one_way_back(tab)
        told.end()
        await tab.ended(told.sent)


@asynccontextmanager
async def streaming(told: Telling) -> AsyncIterator[None]:
    """Words as a model says them, one after the other, while it lasts."""

    async def stream() -> None:
        while True:
            told.say(1)
            await asyncio.sleep(EVERY_S)

    streams = asyncio.create_task(stream())
    try:
        yield
    finally:
        streams.cancel()


async def test_ten_seconds_without_a_network_while_an_answer_streams_on_cost_no_word_and_are_over_in_two(
    browser: Browser, line: Proxy, upstream: Upstream, session: str
) -> None:
    async with reading(browser, f"http://127.0.0.1:{line.port}", session) as reader:
        tab = await reader.open()
        told = Telling(upstream, session)
        await tab.ask(session)
        async with streaming(told):
            await expect(tab.article(1).locator(".answer")).not_to_be_empty()
            line.drop("requests")
            line.drop("replies")
            await reader.context.set_offline(True)
            await tab.is_("reconnecting", AT_ONCE_S)
            await asyncio.sleep(AWAY_S)
            await tab.is_("reconnecting", 0)
            await line.heal()
            await reader.context.set_offline(False)
            await tab.is_("live", BACK_S)
        await tab.shows(told.sent)
        await one_way_back(tab)
        told.end()
        await tab.ended(told.sent)


async def test_a_connection_that_lives_though_the_browser_says_there_is_no_network_is_kept(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    # It closes nothing that is open: as with a server on this machine, and no network beyond it.
    await reader.context.set_offline(True)

    async def doubted() -> bool:
        return "reconnecting" in await tab.witness("connections")

    await until(doubted, AT_ONCE_S)
    told.say(STEP)
    await tab.shows(told.sent)
    await tab.is_("live")
    await reader.context.set_offline(False)
    told.end()
    await tab.ended(told.sent)
    await one_way_back(tab)
    assert reader.connections == 1


async def test_a_consume_process_that_is_killed_and_started_again_costs_no_word(
    reader: Reader, house: Services, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(before := told.sent)
    await house.consume.kill()
    try:
        told.say(STEP)
        await tab.is_("reconnecting")
        await tab.shows(before)
    finally:
        await house.consume.start()
    await tab.shows(told.sent)
    await one_way_back(tab)
    told.end()
    await tab.ended(told.sent)
