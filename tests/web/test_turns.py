"""What a reader does with a question and its answer: anew, in other words, as a whole; and the end stays in sight."""

import pytest
from playwright.async_api import expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.telling import PIECES, Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def test_an_answer_that_is_regenerated_takes_the_place_of_the_first(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("one ", "answer"))
    tab, elsewhere = await reader.open(), await other_reader.open()
    await tab.ask(session)
    await tab.ended("one answer")
    upstream.prompts[session] = Script(text=("another ", "one"))
    await tab.button("Regenerate", tab.article(1)).click()
    for each in (tab, elsewhere):
        await each.ended("another one", generation=2)
        await expect(each.article(1)).to_have_count(0)


async def test_a_question_that_is_edited_is_asked_anew_in_its_place(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    edited = f"{session}, please"
    upstream.prompts[edited] = Script(text=("a polite ", "answer"))
    tab = await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await tab.button("Edit question", tab.article(1)).click()
    field = tab.page.get_by_role("textbox").filter(visible=True).and_(tab.page.locator(":focus"))
    await expect(field).to_have_value(session)
    await field.fill(edited)
    await field.press("Enter")
    await tab.ended("a polite answer", generation=2)
    await expect(tab.article(2).locator(".prompt")).to_contain_text(edited)
    await expect(tab.article(1)).to_have_count(0)


async def test_without_streaming_the_answer_comes_whole(reader: Reader, upstream: Upstream, session: str) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.page.get_by_label("Without streaming").check()
    await tab.ask(session)
    await told.gate.reached_within(20)
    told.say(len(PIECES) - 1)
    await told.gate.reached_within(20)
    assert await tab.words() == ""
    told.end()
    await tab.ended(told.sent)


async def test_the_end_stays_in_sight_unless_the_reader_has_scrolled_up(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session)
    await tab.ask(session)
    told.say(300)
    await tab.shows(told.sent)
    await expect(tab.article(1).get_by_text("wörd 300")).to_be_in_viewport()
    await tab.page.mouse.move(300, 200)
    await tab.page.mouse.wheel(0, -5000)
    await expect(tab.button("Jump to the end")).to_be_visible()
    at = await tab.page.evaluate("scrollY")
    told.end()
    await tab.ended(told.sent)
    assert await tab.page.evaluate("scrollY") == at
    await tab.button("Jump to the end").click()
    await expect(tab.article(1).locator(".end")).to_be_in_viewport()
    await expect(tab.button("Jump to the end")).to_have_count(0)
