"""Hidden tabs: one that is hidden for long lets go of its connection, and has every word once when it is shown."""

from typing import Any, Literal

import pytest

from tests.consume_stream.facts import number_of_groups
from tests.fakes.upstream import Upstream
from tests.processes import until
from tests.web.reader import Reader
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STEP = 100
TAKEOVER_S = 1.0

_BECOME = """state => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
  Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true })
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
}"""


async def become(tab: Tab, state: Literal["visible", "hidden"]) -> None:
    """Hide a tab, or show it, by the browser's own word for it.

    A headless Chromium takes every tab for a shown one: neither another tab in front nor a minimised window hides it.
    Its clock is left alone: moved forward, it would also end the wait for a ping, and nobody could tell which it was.
    """
    await tab.page.evaluate(_BECOME, state)


async def states(tab: Tab) -> list[str]:
    """What a tab has said of its connection since it was live for the first time."""
    said: list[str] = await tab.witness("connections")
    return said[said.index("live") :]


async def test_a_tab_that_is_hidden_while_another_session_is_read_lets_go_and_catches_up_when_it_is_shown(
    reader: Reader, other_reader: Reader, redis_client: Any, upstream: Upstream, session: str
) -> None:
    tab, elsewhere = await reader.open(), await other_reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(STEP)
    await tab.shows(before := told.sent)
    await Reader(reader.context, reader.origin, session[::-1]).open()
    await become(tab, "hidden")
    await number_of_groups(redis_client, session, 2)
    await tab.is_("paused")
    await number_of_groups(redis_client, session, 1)
    told.say(STEP)
    await elsewhere.shows(told.sent)
    await tab.shows(before)
    await become(tab, "visible")
    await tab.shows(told.sent)
    await tab.is_("live")
    await number_of_groups(redis_client, session, 2)
    assert await states(tab) == ["live", "paused", "catching up", "live"]
    told.end()
    await tab.ended(told.sent)


async def test_a_hidden_tab_that_leads_hands_over_to_a_shown_one_within_a_second_of_letting_go(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    leader, other = await reader.open(), await reader.open()
    told = Telling(upstream, session)
    await leader.ask(session)
    told.say(STEP)
    await other.shows(before := told.sent)
    await become(leader, "hidden")
    await leader.is_("paused")
    told.say(STEP)

    async def handed_over() -> bool:
        return reader.connections == 2

    await until(handed_over, TAKEOVER_S)
    await other.shows(told.sent)
    await leader.shows(before)
    await become(leader, "visible")
    await leader.shows(told.sent)
    told.end()
    for tab in (leader, other):
        await tab.ended(told.sent)
    # Shown again, it listens to the one that leads now.
    assert reader.connections == 2


async def test_a_short_look_at_another_tab_costs_nothing(reader: Reader, upstream: Upstream, session: str) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    await become(tab, "hidden")
    told.say(STEP)
    await tab.shows(told.sent)
    await become(tab, "visible")
    told.end()
    await tab.ended(told.sent)
    assert await states(tab) == ["live"]
    assert reader.connections == 1
