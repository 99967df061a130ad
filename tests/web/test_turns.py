"""What a reader does with a question and its answer: anew, in other words, as a whole; and the end stays in sight."""

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader, reading
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


async def test_a_question_that_is_edited_while_another_tab_asks_on_is_a_new_question(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    late = f"{session}, edited late"
    upstream.prompts[late] = Script(text=("third",))
    tab, elsewhere = await reader.open(), await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await tab.button("Edit question", tab.article(1)).click()
    await elsewhere.ask("Meanwhile")
    await expect(tab.article(2)).to_have_attribute("data-status", "completed")
    await tab.ask(late)
    await tab.ended("third", generation=3)
    for generation in (1, 2, 3):
        await expect(tab.article(generation)).to_have_count(1)


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
    await expect(tab.button("Jump to the end")).to_have_count(0)
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


async def test_a_new_question_leads_to_its_answer_though_the_reader_had_scrolled_up(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=PIECES, thinking=("Hm. ",))
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended("".join(PIECES))
    await tab.page.mouse.move(300, 200)
    await tab.page.mouse.wheel(0, -20000)
    await expect(tab.button("Jump to the end")).to_be_visible()
    told = Telling(upstream, f"{session}, and then?")
    await tab.ask(told.prompt)
    told.say(300)
    await tab.shows(told.sent, generation=2)
    await expect(tab.article(2).get_by_text("wörd 300")).to_be_in_viewport()
    await expect(tab.button("Jump to the end")).to_have_count(0)
    told.end()
    await tab.ended(told.sent, generation=2)


async def test_thoughts_that_are_unfolded_at_the_end_stay_under_the_readers_eyes(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("the ", "answer"), thinking=tuple(f"thought {n}\n" for n in range(100)))
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended("the answer")
    summary = tab.article(1).locator("summary")
    before = await summary.bounding_box()
    await summary.click()
    await expect(tab.article(1).get_by_text("thought 0")).to_be_in_viewport()
    await expect(tab.button("Jump to the end")).to_be_visible()
    assert await summary.bounding_box() == before


async def test_what_is_copied_is_what_was_written(
    browser: Browser, origin: str, upstream: Upstream, session: str
) -> None:
    answer = "Some **weight** and\n\n```python\nif True:\n    print(1)\n```\n\nthe end"
    upstream.prompts[session] = Script(text=tuple(answer))
    async with reading(browser, origin, session, permissions=["clipboard-read", "clipboard-write"]) as reader:
        tab = await reader.open()
        await tab.ask(session)
        await expect(tab.article(1)).to_have_attribute("data-status", "completed")
        for name, text in (("Copy code", "if True:\n    print(1)"), ("Copy answer", answer)):
            await tab.button(name, tab.article(1)).click()
            await expect(tab.button("Copied", tab.article(1))).to_be_visible()
            assert await tab.page.evaluate("navigator.clipboard.readText()") == text
            await expect(tab.button("Copied")).to_have_count(0)
