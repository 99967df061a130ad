"""An answer that fails, and a session that is busy: the page says what happened, and offers what helps."""

import pytest
from playwright.async_api import Route, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.web.reader import Reader
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

ASKED = 3
"""How often the vendor's SDK asks for an answer before it gives up."""

STREAM = "**/api/consume-stream*"


async def test_retry_asks_again_for_an_answer_that_failed_and_takes_its_place(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("here ", "it is"), status=503, times=ASKED)
    tab = await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "failed")
    await expect(tab.article(1)).to_contain_text("The provider is overloaded right now.")
    await tab.button("Retry", tab.article(1)).click()
    await tab.ended("here it is", generation=2)
    await expect(tab.article(2).locator(".prompt")).to_contain_text(session)
    await expect(tab.article(1)).to_have_count(0)


async def test_no_retry_is_offered_where_it_would_not_help(reader: Reader, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(status=401)
    tab = await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "failed")
    await expect(tab.article(1)).to_contain_text("The provider did not accept this server's key.")
    await expect(tab.button("Retry")).to_have_count(0)


async def test_words_before_a_failure_stay(reader: Reader, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(text=("half ", "of ", "it"), error="overloaded_error", error_after=2)
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended("half of", "failed")
    await expect(tab.button("Retry", tab.article(1))).to_be_visible()


@pytest.mark.parametrize("choice", ["Watch", "Stop it"])
async def test_a_busy_session_offers_to_watch_or_to_stop(
    reader: Reader, house: Services, upstream: Upstream, session: str, choice: str
) -> None:
    # The tab hears nothing yet of what runs in its session.
    held: list[Route] = []
    await reader.context.route(STREAM, lambda route: held.append(route))
    tab = await reader.open(live=False)
    await tab.question.wait_for()
    told = Telling(upstream, session)
    await house.start(sessionId=session, prompt=session, provider="openai")
    told.say(5)
    await tab.ask("Another question")
    alert = tab.page.get_by_role("alert").filter(has=tab.button("Watch"))
    await expect(tab.button("Stop it", alert)).to_be_visible()
    for route in held:
        await route.continue_()
    await reader.context.unroute(STREAM)
    await tab.shows(told.sent)
    await tab.button(choice, alert).click()
    await expect(alert).to_have_count(0)
    if choice == "Watch":
        await expect(tab.article(1)).to_have_attribute("data-status", "running")
        told.end()
        await tab.ended(told.sent)
    else:
        await tab.ended(told.sent, "stopped")
        await told.gate.left_within(5)
    # What was written is not lost by all this.
    await expect(tab.question).to_have_value("Another question")
