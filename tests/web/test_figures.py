"""The figures of an answer, how long it was thought about and how fast it came: the log's own, the same for all."""

import re

import pytest
from playwright.async_api import expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.web.reader import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

THOUGHTS = 5
SECOND_MS = 1000
PACE_S = 0.3


async def test_thinking_took_as_long_for_one_who_refreshes_or_comes_late_as_for_one_who_was_there(
    reader: Reader, other_reader: Reader, upstream: Upstream, session: str
) -> None:
    gate = Gate()
    thoughts = tuple(f"thought {number}. " for number in range(THOUGHTS))
    upstream.prompts[session] = Script(text=("the ", "answer"), thinking=thoughts, gate=gate, delay_s=PACE_S)
    tab = await reader.open()
    thinking = tab.article(1).locator("summary")
    await tab.ask(session)
    gate.let_out(THOUGHTS)
    # It is told while it goes on, too.
    await expect(thinking).to_have_text("Thinking … 1 s")
    gate.let_out(2)
    await tab.ended("the answer")
    told = await thinking.text_content()
    seconds = re.fullmatch(r"Thought for (\d+\.\d) s", told or "")
    assert seconds
    assert float(seconds[1]) >= THOUGHTS * PACE_S
    late = await other_reader.open()
    await expect(late.article(1).locator("summary")).to_have_text(seconds[0])
    await tab.page.reload()
    await expect(thinking).to_have_text(seconds[0])
    # And without what the tab has kept.
    await tab.page.evaluate("sessionStorage.clear()")
    await tab.page.goto("about:blank")
    await tab.page.goto(f"{reader.origin}/?session={session}")
    await expect(thinking).to_have_text(seconds[0])


async def test_first_token_and_pace_and_tokens_are_those_of_the_terminal_entry(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(
        text=("one ", "two ", "three"), delay_s=PACE_S, input_tokens=20, output_tokens=30
    )
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended("one two three")
    url = f"{reader.origin}/api/sessions/{session}"
    ended = (await (await reader.context.request.get(url)).json())["generations"][0]
    first_ms, all_ms = ended["ttftMs"], ended["durationMs"]
    figures = [
        f"first token after {first_ms / SECOND_MS:.2f} s",
        f"{30 / (all_ms - first_ms) * SECOND_MS:.0f} tokens/s",
        "50 tokens (20 in, 30 out)",
    ]
    for _ in range(2):
        for figure in figures:
            await expect(tab.article(1).locator(".figures").get_by_text(figure, exact=True)).to_be_visible()
        await tab.page.reload()
