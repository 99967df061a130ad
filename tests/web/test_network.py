"""The network goes, or the server: the page says so, comes back by itself, and has every word once."""

import pytest
from playwright.async_api import Browser

from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.proxy import Proxy
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100

NOTICED_S = 15.0
"""A page gives its line up after two pings that did not come; here there is one a second."""


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
        if not told_so:
            await tab.is_("reconnecting", NOTICED_S)
        await tab.shows(before)
        await line.heal()
        await reader.context.set_offline(False)
        await tab.shows(told.sent)
        await one_way_back(tab)
        told.end()
        await tab.ended(told.sent)


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
