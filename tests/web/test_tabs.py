"""Tabs of one session: all show the same words, one of them holds the connection, and none is missed when it goes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.consume_stream.facts import metric
from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.web.reader import Reader
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

TABS = 7
"""One more than HTTP/1.1 gives an origin connections, all tabs together."""

STEP = 100
TAKEOVER_S = 1.0


async def all_show(tabs: list[Tab], text: str) -> None:
    await asyncio.gather(*(tab.shows(text) for tab in tabs))


async def all_ended(tabs: list[Tab], text: str, status: str = "completed") -> None:
    await asyncio.gather(*(tab.ended(text, status) for tab in tabs))


async def test_three_tabs_in_each_of_two_browsers_show_every_word_once_over_one_connection_each(
    reader: Reader, other_reader: Reader, house: Services, upstream: Upstream, session: str
) -> None:
    tabs = [await each.open() for each in (reader, other_reader) for _ in range(3)]
    told = Telling(upstream, session)
    await tabs[0].ask(session)
    for _ in range(3):
        told.say(STEP)
        await all_show(tabs, told.sent)
    told.end()
    await all_ended(tabs, told.sent)
    assert (reader.connections, other_reader.connections) == (1, 1)
    assert await metric(house.consume, "rejoin_viewers") == 2


async def test_seven_tabs_of_one_session_are_live_on_plain_http(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    tabs = [await reader.open() for _ in range(TABS)]
    told = Telling(upstream, session)
    await tabs[-1].ask(session)
    told.say(STEP)
    await all_show(tabs, told.sent)
    told.end()
    await all_ended(tabs, told.sent)
    assert reader.connections == 1


async def test_a_question_of_one_tab_is_in_the_others_before_its_answer_and_all_see_that_live(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    asking, beside, elsewhere = tabs = [await reader.open(), await reader.open(), await other_reader.open()]
    told = Telling(upstream, session)
    await asking.ask(session)
    for tab in (beside, elsewhere):
        await expect(tab.article(1).locator(".prompt")).to_contain_text(session)
        assert await tab.words() == ""
    told.say(5)
    await all_show(tabs, told.sent)
    told.end()
    await all_ended(tabs, told.sent)


async def test_stop_in_another_tab_ends_an_answer_in_all_of_them_and_at_the_vendor(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    tabs = [await reader.open(), await reader.open(), await other_reader.open()]
    told = Telling(upstream, session)
    await tabs[0].ask(session)
    told.say(STEP)
    await all_show(tabs, told.sent)
    await tabs[2].button("Stop").click()
    await all_ended(tabs, told.sent, "stopped")
    await told.gate.left_within(5)


async def close(tab: Tab) -> None:
    await tab.page.close()


@pytest.mark.parametrize("leave", [close, Tab.crash])
async def test_another_tab_takes_over_from_one_that_goes_within_a_second_and_no_word_is_lost_or_doubled(
    reader: Reader, upstream: Upstream, session: str, leave: Callable[[Tab], Awaitable[None]]
) -> None:
    leader, *others = [await reader.open() for _ in range(3)]
    told = Telling(upstream, session)
    await leader.ask(session)
    told.say(STEP)
    await all_show([leader, *others], told.sent)
    await leave(leader)
    told.say(STEP)
    await until(lambda: connected(reader, 2), TAKEOVER_S)
    await all_show(others, told.sent)
    told.end()
    await all_ended(others, told.sent)
    assert reader.connections == 2


async def connected(reader: Reader, times: int) -> bool:
    return reader.connections == times
