"""The AI SDK's chat in a real browser, part by part: thinking, and a tool that the page answers for, in two tabs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.chatting import Tabs, ask, bundle, shows, tabs_on

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An application that shows more than the recipe's, with the newest packages."""
    return bundle(tmp_path_factory.mktemp("parts"), Path(__file__).with_name("parts.jsx").read_text(), "ai7")


@pytest.fixture
async def tabs(browser: Browser, origin: str, session: str, app: str) -> AsyncIterator[Tabs]:
    """Somebody's."""
    async with tabs_on(browser, origin, session, app) as tabs:
        yield tabs


async def test_thinking_is_seen_as_it_comes_and_after_a_reload(tabs: Tabs, upstream: Upstream, session: str) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(thinking=("Hm, ", "well."), text=("Yes", "."), gate=gate)
    tab = await tabs.open()
    await ask(tab, session)
    await shows(tab, f"text: {session}", "reasoning: Hm,")
    gate.release()
    await shows(tab, f"text: {session}", "reasoning: Hm, well.")
    await tab.reload()
    await shows(tab, f"text: {session}", "reasoning: Hm, well.")
    for _ in range(2):
        gate.release()
    await shows(tab, f"text: {session}", "reasoning: Hm, well.", "text: Yes.")
    await tab.reload()
    await shows(tab, f"text: {session}", "reasoning: Hm, well.", "text: Yes.")


async def test_a_call_that_the_page_answers_goes_on_in_the_same_message(
    tabs: Tabs, upstream: Upstream, session: str
) -> None:
    gate, located = asyncio.Semaphore(1), f"Bern {session}"
    upstream.prompts[session] = Script(text=("Let me see.",), calls=(("call_1", "locate", ('{"who": ', '"me"}')),))
    upstream.prompts[located] = Script(text=("You are ", "in Bern."), gate=gate)
    asked = f"text: {session}", "text: Let me see."
    one = await tabs.open()
    await ask(one, session)
    await shows(one, *asked, 'where? {"who":"me"}')
    other = await tabs.open()
    await shows(other, *asked, 'where? {"who":"me"}')
    # Both answer alike: the second is told what the first has begun.
    for tab in (one, other):
        await tab.get_by_role("button", name="me").click()
        await shows(tab, *asked, f"located: {located}", "text: You are")
    late = await tabs.open()
    await shows(late, *asked, f"located: {located}", "text: You are")
    gate.release()
    for tab in (one, other, late):
        await shows(tab, *asked, f"located: {located}", "text: You are in Bern.")
        await expect(tab.locator("article")).to_have_count(2)
        await expect(tab.get_by_role("alert")).to_have_count(0)
    told = [request.body["messages"][-1] for request in upstream.requests if request.prompt == located]
    assert told == [{"role": "tool", "tool_call_id": "call_1", "content": located}]
    # Either tab goes on from there.
    upstream.prompts[f"And {session}?"] = Script(text=("Bern too.",))
    await ask(other, f"And {session}?")
    await expect(other.locator("p").last).to_have_text("text: Bern too.")
