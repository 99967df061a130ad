"""The network goes, or the server: the page says so, comes back by itself, and has every word once."""

import pytest

from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.web.reader import Reader
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100


async def one_way_back(tab: Tab) -> None:
    """The claim: since the tab was live for the first time, it has said of its connection this and nothing else."""
    await tab.is_("live")
    states = await tab.witness("connections")
    assert states[states.index("live") :] == ["live", "reconnecting", "catching up", "live"]


async def test_a_reader_who_was_offline_has_every_word_once(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    tab, elsewhere = await reader.open(), await other_reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(before := told.sent)
    await reader.context.set_offline(True)
    told.say(STEP)
    # Those who have a network go on.
    await elsewhere.shows(told.sent)
    await tab.shows(before)
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
