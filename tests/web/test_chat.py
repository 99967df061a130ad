"""The AI SDK's `useChat` in a real browser, by the very text of the recipe: reloads, tabs, stops, cuts, failures."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from playwright.async_api import Browser, expect

from tests.dialects.recipes import recipe
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.proxy import Proxy
from tests.web.chatting import MAJORS, SOON_S, Tabs, ask, bundle, shows, tabs_on

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


@pytest.fixture(scope="module", params=MAJORS)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The recipe as an application."""
    return bundle(tmp_path_factory.mktemp("usechat"), recipe("usechat").text, request.param)


@pytest.fixture
async def tabs(browser: Browser, origin: str, session: str, app: str) -> AsyncIterator[Tabs]:
    """Somebody's."""
    async with tabs_on(browser, origin, session, app) as tabs:
        yield tabs


async def stands(house: Services, session: str, status: str) -> None:
    """Wait until the newest answer stands so."""

    async def so() -> bool:
        async with httpx2.AsyncClient() as client:
            page = (await client.get(f"{house.consume.url}/api/sessions/{session}")).json()
        return bool(page["generations"][0]["status"] == status)

    await until(so, SOON_S)


async def test_a_reload_and_a_second_tab_see_all_of_it(
    tabs: Tabs, house: Services, upstream: Upstream, session: str
) -> None:
    gate, question = asyncio.Semaphore(1), f"One {session}?"
    upstream.prompts[question] = Script(text=("Hel", "lo", "!"), thinking=(), gate=gate)
    one = await tabs.open()
    await ask(one, question)
    await shows(one, question, "Hel")
    # The next question may be written meanwhile: nothing empties the field when the answer has its end.
    await expect(one.get_by_label("Question")).to_have_value("")
    await one.reload()
    await shows(one, question, "Hel")
    other = await tabs.open()
    await shows(other, question, "Hel")
    # A tab that is closed stops nothing.
    await one.close()
    gate.release()
    await shows(other, question, "Hello")
    gate.release()
    await shows(other, question, "Hello!")
    await stands(house, session, "completed")
    await other.reload()
    await shows(other, question, "Hello!")
    upstream.prompts[question] = Script(text=("Anew.",))
    await other.get_by_role("button", name="Again").click()
    await shows(other, question, "Anew.")


async def test_a_stop_in_one_tab_is_seen_in_the_other(
    tabs: Tabs, house: Services, upstream: Upstream, session: str
) -> None:
    question = f"Two {session}?"
    upstream.prompts[question] = Script(text=("Hel", "lo"), gate=asyncio.Semaphore(1))
    one = await tabs.open()
    await ask(one, question)
    await shows(one, question, "Hel")
    other = await tabs.open()
    await shows(other, question, "Hel")
    await other.get_by_role("button", name="Stop").click()
    await stands(house, session, "stopped")
    for tab in (one, other):
        upstream.prompts[f"{tab is one}"] = Script(text=("So.",))
        await ask(tab, f"{tab is one}")
        await expect(tab.locator("p").last).to_have_text("So.", timeout=SOON_S * 1000)


async def test_an_answer_whose_line_is_cut_goes_on_and_is_whole(
    tabs: Tabs, line: Proxy, house: Services, upstream: Upstream, session: str
) -> None:
    gate, question = asyncio.Semaphore(1), f"Three {session}?"
    upstream.prompts[question] = Script(text=("Hel", "lo, ", "you", "!"), gate=gate)
    tab = await tabs.open(f"http://127.0.0.1:{line.port}")
    await ask(tab, question)
    await shows(tab, question, "Hel")
    line.cut()
    gate.release()
    await shows(tab, question, "Hello,")
    await house.consume.kill()
    try:
        gate.release()
    finally:
        await house.consume.start()
    await shows(tab, question, "Hello, you")
    # It ends while nobody listens.
    await line.refuse()
    gate.release()
    await stands(house, session, "completed")
    await line.heal()
    await shows(tab, question, "Hello, you!")
    await expect(tab.get_by_role("alert")).to_have_count(0)


async def test_a_failed_answer_is_an_error_and_may_be_asked_for_again(
    tabs: Tabs, upstream: Upstream, session: str
) -> None:
    question = f"Four {session}?"
    upstream.prompts[question] = Script(text=("Half",), finish="")
    tab = await tabs.open()
    await ask(tab, question)
    await expect(tab.get_by_role("alert")).to_have_text(re.compile("."), timeout=SOON_S * 1000)
    await shows(tab, question, "Half")
    upstream.prompts[question] = Script(text=("Whole.",))
    await tab.get_by_role("button", name="Again").click()
    await shows(tab, question, "Whole.")
    await expect(tab.get_by_role("alert")).to_have_count(0)
    await tab.reload()
    await shows(tab, question, "Whole.")
