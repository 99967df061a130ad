"""What a screen reader is told: that an answer begins, that it ends and how; never word by word, and no old news."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

HEARD = Path(__file__).with_name("heard.js")
BEGUN, COMPLETE, STOPPED = "The answer has begun.", "The answer is complete.", "The answer was stopped."


@pytest.fixture
async def listener(reader: Reader) -> Tab:
    """A tab whose live regions are listened to."""
    await reader.context.add_init_script(path=HEARD)
    return await reader.open()


async def heard(tab: Tab) -> list[str]:
    """What the page has said by itself, since it was loaded or since this was asked last."""
    return [str(text) for text in await tab.page.evaluate("heard.splice(0)")]


async def test_of_a_whole_answer_its_beginning_and_its_end_are_told_and_nothing_else(
    listener: Tab, upstream: Upstream, session: str
) -> None:
    told = Telling(upstream, session)
    await heard(listener)
    await listener.ask(session)
    for _ in range(4):
        told.say(100)
        await listener.shows(told.sent)
    told.end()
    await listener.ended(told.sent)
    await expect(listener.page.get_by_text(COMPLETE)).to_be_attached()
    assert await heard(listener) == [BEGUN, COMPLETE]


async def test_each_of_two_answers_that_end_alike_is_told_of(listener: Tab, upstream: Upstream, session: str) -> None:
    await heard(listener)
    for generation in (1, 2):
        upstream.prompts[f"{session} {generation}"] = Script(text=("at once",))
        await listener.ask(f"{session} {generation}")
        await listener.ended("at once", generation=generation)
    # One that is over before it was seen to begin has but an end.
    assert [text for text in await heard(listener) if text != BEGUN] == [COMPLETE] * 2


async def test_a_stop_and_a_failure_are_told_with_their_reason(listener: Tab, upstream: Upstream, session: str) -> None:
    told = Telling(upstream, session)
    await listener.ask(session)
    told.say(5)
    await listener.shows(told.sent)
    await listener.button("Stop").click()
    await expect(listener.page.get_by_text(STOPPED)).to_be_attached()
    upstream.prompts[f"{session}, please"] = Script(status=401)
    await listener.ask(f"{session}, please")
    failed = "The answer failed. The provider did not accept this server's key."
    await expect(listener.page.get_by_text(failed, exact=True)).to_be_attached()


async def test_what_was_there_before_is_no_news_but_what_still_runs_is(
    listener: Tab, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    await listener.ask(session)
    await listener.ended("an answer")
    await listener.page.reload()
    await listener.is_("live")
    await listener.shows("an answer")
    assert {BEGUN, COMPLETE}.isdisjoint(await heard(listener))
    told = Telling(upstream, f"{session}, and then?")
    await listener.ask(told.prompt)
    told.say(5)
    await listener.shows(told.sent, generation=2)
    await listener.page.reload()
    await listener.is_("live")
    told.end()
    await listener.ended(told.sent, generation=2)
    await expect(listener.page.get_by_text(COMPLETE)).to_be_attached()
    assert [text for text in await heard(listener) if text in {BEGUN, COMPLETE}] == [BEGUN, COMPLETE]
