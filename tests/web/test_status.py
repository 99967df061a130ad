"""What is true just now: which model is asked, or that it is none; how many read along; whether words or the whole."""

import json

import pytest
from playwright.async_api import Request, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def test_the_model_that_is_chosen_answers_and_is_remembered(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await reader.open()
    models = (await (await reader.context.request.get(f"{reader.origin}/api/models")).json())["providers"]
    chosen = next(provider for provider in models if provider["name"] == "anthropic")["models"][0]
    select = tab.page.get_by_label("Model")
    offered = await select.locator("option").all_text_contents()
    assert offered == [model for provider in models for model in provider["models"]]
    await select.select_option(label=chosen)
    await tab.ask(session)
    await tab.ended("an answer")
    assert upstream.requests[-1].path.endswith("/messages")
    await expect(tab.article(1).locator(".figures")).to_contain_text(f"anthropic {chosen}")
    await tab.page.reload()
    await expect(select.locator("option:checked")).to_have_text(chosen)


async def test_the_demo_is_called_a_demo_and_a_model_is_not(reader: Reader) -> None:
    tab = await reader.open()
    select = tab.page.get_by_label("Model")
    told = tab.page.get_by_text("Demo model", exact=True)
    await expect(select).to_be_visible()
    await expect(told).to_have_count(0)
    await select.select_option(label="demo")
    await expect(told).to_be_visible()


async def test_as_many_viewers_are_told_of_as_there_are(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("an ", "answer"))
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended("an answer")
    await expect(tab.page.get_by_text("1 viewer now")).to_be_visible()
    # Another tab of the same browser shares its connection; another browser has one of its own.
    beside, elsewhere = await reader.open(), await other_reader.open()
    for each in (elsewhere, beside, tab):
        await expect(each.page.get_by_text("2 viewers now")).to_be_visible()


async def test_without_streaming_the_whole_answer_is_asked_for_and_with_it_the_words(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    asked: list[bool] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/generate-stream"):
            asked.append(json.loads(request.post_data or "")["stream"])

    reader.context.on("request", note)
    tab = await reader.open()
    switch = tab.page.get_by_role("switch", name="Without streaming")
    for generation, whole in enumerate((True, False), 1):
        await switch.set_checked(whole)
        upstream.prompts[f"{session} {generation}"] = Script(text=("an ", "answer"))
        await tab.ask(f"{session} {generation}")
        await tab.ended("an answer", generation=generation)
    assert asked == [False, True]
