"""Conversations: each has an address, is found again in a list, and goes for good when it is deleted."""

import httpx2
import pytest
from playwright.async_api import Dialog, Locator, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.web.reader import Reader
from tests.web.tab import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


def listed(tab: Tab, title: str) -> Locator:
    """A conversation in the list."""
    return tab.page.get_by_role("navigation", name="Conversations").get_by_role("link", name=title, exact=True)


async def answered(tab: Tab, question: str) -> None:
    """Ask in a new conversation, and have the answer."""
    await tab.ask(question)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")


async def test_a_new_conversation_has_its_own_address_and_the_one_before_is_on_the_list(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("the ", "answer"))
    tab = await reader.open()
    await answered(tab, session)
    await tab.button("New conversation").click()
    await expect(tab.page.locator("article")).to_have_count(0)
    assert session not in tab.page.url
    await expect(tab.question).to_be_focused()
    await listed(tab, session).click()
    await tab.ended("the answer")
    assert tab.page.url.endswith(f"?session={session}")
    await tab.page.go_back()
    await expect(tab.page.locator("article")).to_have_count(0)


async def test_the_bare_address_leads_back_to_the_last_conversation(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("the ", "answer"))
    await answered(await reader.open(), session)
    tab = Tab(await reader.context.new_page())
    await tab.page.goto(reader.origin)
    await tab.ended("the answer")
    assert f"session={session}" in tab.page.url


async def test_a_deleted_conversation_is_gone_from_the_list_and_from_the_server(
    reader: Reader, house: Services, session: str
) -> None:
    tab = await reader.open()
    await answered(tab, session)
    tab.page.on("dialog", lambda dialog: dialog.accept())
    await tab.button(f"Delete {session}").click()
    await expect(listed(tab, session)).to_have_count(0)
    await expect(tab.page.locator("article")).to_have_count(0)
    async with httpx2.AsyncClient(verify=False) as client:
        assert (await client.get(f"{house.consume.url}/api/sessions/{session}")).status_code == 404


async def test_a_deletion_that_is_thought_better_of_deletes_nothing(reader: Reader, session: str) -> None:
    tab = await reader.open()
    await answered(tab, session)
    questions: list[str] = []

    async def no(dialog: Dialog) -> None:
        questions.append(dialog.message)
        await dialog.dismiss()

    tab.page.on("dialog", no)
    await tab.button(f"Delete {session}").click()
    assert [session in question for question in questions] == [True]
    await tab.page.reload()
    await expect(listed(tab, session)).to_be_visible()
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")


async def test_the_address_of_a_deleted_conversation_is_an_empty_one_where_one_may_ask_anew(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    tab, elsewhere = await reader.open(), await other_reader.open()
    await answered(tab, session)
    await expect(elsewhere.article(1)).to_have_attribute("data-status", "completed")
    tab.page.on("dialog", lambda dialog: dialog.accept())
    await tab.button(f"Delete {session}").click()
    # Gone for everybody.
    for each in (tab, elsewhere):
        await expect(each.page.locator("article")).to_have_count(0)
    await tab.page.goto(f"{reader.origin}/?session={session}")
    await tab.is_("live")
    await expect(tab.page.locator("article")).to_have_count(0)
    again = f"{session}, again"
    upstream.prompts[again] = Script(text=("a new ", "life"))
    await tab.ask(again)
    for each in (tab, elsewhere):
        await expect(each.page.locator("article")).to_have_count(1)
        await expect(each.page.locator("article .prompt")).to_have_text(again)
        await expect(each.page.locator("article .answer")).to_have_text("a new life")
    await expect(listed(tab, again)).to_be_visible()
