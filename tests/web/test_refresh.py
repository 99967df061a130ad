"""A refresh, at any moment: the words are there at once, the rest follows, and nothing comes twice."""

import random
from pathlib import Path

import pytest

from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

REFRESHES = 10
"""Of each answer; five answers make fifty."""

WORDS = Path(__file__).with_name("words.js")


async def texts(tab: Tab) -> list[str]:
    """What the answer has looked like, one text after the other, since the tab was last refreshed."""
    found = await tab.page.evaluate("words[1] ?? []")
    return [str(text) for text in found]


@pytest.mark.parametrize("seed", range(5))
async def test_an_answer_that_is_refreshed_at_ten_random_moments_only_ever_grows(
    reader: Reader, upstream: Upstream, session: str, seed: int
) -> None:
    drawn = random.Random(seed)
    await reader.context.add_init_script(path=WORDS)
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    for _ in range(REFRESHES):
        told.say(drawn.randrange(1, 40))
        # Now and then all words are on the screen, else some are on their way.
        if drawn.random() < 0.5:
            await tab.shows(told.sent)
        before = await tab.words()
        await tab.page.reload()
        await tab.shows(told.sent)
        painted = await texts(tab)
        # The new page is first painted with what was on the screen, and from then on only grows.
        for earlier, later in zip([before, *painted], painted, strict=False):
            assert later.startswith(earlier)
    told.end()
    await tab.ended(told.sent)


async def test_the_words_are_back_though_the_network_is_not(reader: Reader, upstream: Upstream, session: str) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(100)
    await tab.shows(told.sent)
    await reader.context.route("**/api/**", lambda route: route.abort())
    await tab.page.reload()
    await tab.shows(told.sent)
    await reader.context.unroute("**/api/**")
    told.end()
    await tab.ended(told.sent)


TAMPER = """
for (const key of Object.keys(sessionStorage)) {
  const kept = sessionStorage.getItem(key)
  if (kept.includes('rd 7 ')) window.tampered = true
  sessionStorage.setItem(key, kept.replace('rd 7 ', 'rd seven '))
}
"""


async def test_words_that_were_not_kept_as_they_came_are_fetched_again(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(100)
    told.end()
    await tab.ended(told.sent)
    await tab.page.add_init_script(TAMPER)
    await tab.page.reload()
    assert await tab.page.evaluate("window.tampered") is True
    await tab.shows(told.sent)


KEPT = """
const key = Object.keys(sessionStorage).find((each) => each.startsWith('rejoin.view.'))
if (key) {
  const kept = JSON.parse(sessionStorage.getItem(key))
  sessionStorage.setItem(key, JSON.stringify(%s))
  window.tampered = true
}
"""


@pytest.mark.parametrize(
    "kept",
    [
        "{ ...kept, answers: [null] }",
        "{ ...kept, answers: [{}] }",
        "{ ...kept, cursor: 5 }",
        "{ ...kept, cursor: '' }",
        "{ ...kept, cursor: '99999999999999-0' }",
        "{ ...kept, cursor: kept.cursor.replace(/-.*/, '-1') }",
        "5",
    ],
)
async def test_whatever_was_kept_in_place_of_words_the_words_are_there_once(
    reader: Reader, upstream: Upstream, session: str, kept: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(100)
    await tab.shows(told.sent)
    await tab.page.add_init_script(KEPT % kept)
    await tab.page.reload()
    assert await tab.page.evaluate("window.tampered") is True
    told.end()
    await tab.ended(told.sent)
