"""Tools on the page: a quiet line for each call, with what came of it, in the answer that called; no empty question."""

import pytest
from playwright.async_api import expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

OSLO = '{"city": "Oslo"}'
LONG = '{"question": "' + "and so on, " * 200 + '"}'


async def test_calls_and_what_came_of_them_stand_in_the_answer(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    calls = (("c1", "get_weather", (OSLO,)), ("c2", "think_about", (LONG,)), ("c3", "now", ()))
    upstream.prompts[session] = Script(text=("Let me see.",), calls=calls)
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended("Let me see.")
    tools = tab.article(1).get_by_label("Tools").get_by_role("listitem")
    await expect(tools).to_have_text([f"get_weather {OSLO}", f"think_about {LONG}", "now"], use_inner_text=False)
    await expect(tab.article(1).locator(".stopped")).to_have_count(0)
    long = tools.nth(1).get_by_text("and so on")
    await expect(long).to_be_hidden()
    await tools.nth(1).locator("summary").click()
    await expect(long).to_be_visible()
    results = [
        {"callId": "c1", "content": "7 degrees"},
        {"callId": "c2", "content": ""},
        {"callId": "c3", "content": session},
    ]
    upstream.prompts[session] = Script(text=("Seven.",))
    response = await reader.context.request.post(
        f"{reader.origin}/api/generate-stream", data={"sessionId": session, "toolResults": results}
    )
    assert response.status == 202, await response.text()
    late = await other_reader.open()
    for each in (tab, late):
        await each.ended("Seven.", generation=2)
        await expect(each.article(2).locator(".prompt")).to_have_count(0)
        await expect(each.article(1).get_by_label("Tools").locator(".result")).to_contain_text(
            ["7 degrees", "", session]
        )
    wide = await late.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
