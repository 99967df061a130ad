"""The page as it looks, in the light and in the dark, on a phone and on a desk: nothing sticks out, overlaps or is cut.

With SCREENS=<folder> the pictures are left there, for people to look at.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.web.reader import reading
from tests.web.schemes import each_scheme
from tests.web.tab import Tab
from tests.web.test_accessibility import RICH

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

DEVICES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "small phone": {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True},
}
LONG = f"What is a stream? {'Donaudampfschifffahrtsgesellschaftskapitän' * 3}"
THOUGHTS = tuple(f"thought {number}. " for number in range(3))
HALF_OF_THE_CODE = 18
"""Lines of RICH."""

TARGET_PX = 24
FINGER_PX = 44
FINGERED = (
    "Send",
    "Stop",
    "New conversation",
    "Conversations",
    "Jump to the end",
    "Close",
    "Share",
    "Sign in",
    "Create link",
)

FAULTS = """([targetMin, fingerMin, fingered]) => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push(`the page is ${root.scrollWidth} px wide`);
  const named = (node) => node.getAttribute('aria-label') || node.textContent || node.id || node.localName;
  const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest('[inert], .unseen');
  // What lies behind a card is out of reach.
  const place = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document;
  for (const node of place.querySelectorAll('button, select, textarea, summary, input:not(:disabled), nav a')) {
    if (!seen(node)) continue;
    const name = named(node);
    // A finger may as well hit its label.
    const { left, top, right, bottom, width, height } = (node.closest('label') ?? node).getBoundingClientRect();
    if (Math.min(width, height) < targetMin) faults.push(`${name} is ${width} × ${height}`);
    if (fingered.includes(name) && height < fingerMin) faults.push(`${name} is ${height} high`);
    if (left < 0 || right > innerWidth) faults.push(`${name} sticks out`);
    if (node.matches('button') && node.scrollWidth > node.clientWidth + 1) faults.push(`${name} is cut`);
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    // What is scrolled under the header or the footer is reached by scrolling.
    const shut = node.closest('main') && [...document.querySelectorAll('header, footer')].some((bar) => {
      const { top: above, bottom: below } = bar.getBoundingClientRect();
      return bottom > above && top < below;
    });
    if (shut || y < 0 || y > innerHeight) continue;
    const hit = document.elementFromPoint(x, y);
    const jump = hit?.closest('.jump') && node.closest('main');
    if (!jump && !(node.closest('label') ?? node).contains(hit)) faults.push(`${name} lies under ${hit?.outerHTML}`);
  }
  for (const node of place.querySelectorAll('p, h1, h2, .prompt, .figures span, .switch, figcaption')) {
    if (seen(node) && node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline') {
      faults.push(`${named(node)} is cut`);
    }
  }
  return faults;
}"""
"""What is wrong with how the page stands there."""

COLOURS = "[document.documentElement, document.querySelector('.composer')].map((node) => getComputedStyle(node))"
COLOURS = f"{COLOURS}.flatMap(({{ color, backgroundColor }}) => [color, backgroundColor])"


class Screens:
    """A tab, looked at again and again: what is wrong with it, and pictures where they are asked for."""

    def __init__(self, name: str, *, fingered: bool) -> None:
        self._folder = os.environ.get("SCREENS")
        self._name = name.replace(" ", "-")
        self._fingers = FINGER_PX if fingered else 0
        self._taken = 0
        self.faults: list[str] = []

    async def take(self, tab: Tab, state: str) -> None:
        """Look at the page as it is now."""
        self._taken += 1
        async for scheme in each_scheme(tab.page):
            if self._folder:
                picture = f"{self._name}-{scheme}-{self._taken}-{state}.png"
                await tab.page.screenshot(path=Path(self._folder) / picture)
            found = await tab.page.evaluate(FAULTS, [TARGET_PX, self._fingers, FINGERED])
            self.faults += [f"{state}: {fault}" for fault in found]


@pytest.mark.parametrize("device", DEVICES)
async def test_nothing_sticks_out_overlaps_or_is_cut_and_each_scheme_has_colours_of_its_own(
    browser: Browser, origin: str, upstream: Upstream, session: str, device: str
) -> None:
    screens = Screens(device, fingered=device != "desk")
    async with reading(browser, origin, session, reduced_motion="reduce", **DEVICES[device]) as reader:
        tab = await reader.open()
        light, dark = [await tab.page.evaluate(COLOURS) async for _ in each_scheme(tab.page)]
        await through_a_conversation(tab, screens, upstream, f"{LONG} {session}")
    assert screens.faults == []
    assert [one for one, other in zip(light, dark, strict=True) if one == other] == []


async def test_the_head_of_a_table_does_not_overlap_however_long_it_is(
    browser: Browser, origin: str, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=(f"| {'Long head ' * 20}| b |\n|---|---|\n| a | 1 |\n",))
    async with reading(browser, origin, session) as reader:
        tab = await reader.open()
        await tab.ask(session)
        await expect(tab.article(1)).to_have_attribute("data-status", "completed")
        heads = tab.article(1).locator("th")
        await expect(heads).to_have_count(2)
        assert await heads.evaluate_all("all => all.filter((th) => th.scrollWidth > th.clientWidth).length") == 0


async def through_a_conversation(tab: Tab, screens: Screens, upstream: Upstream, question: str) -> None:
    """All that a conversation may look like, from its beginning on."""
    await screens.take(tab, "empty")
    await tab.question.fill("one\ntwo\nthree\nfour")
    await screens.take(tab, "typing")

    gate = Gate()
    paragraphs = tuple(f"\n\nparagraph {number} {'and words ' * 20}" for number in range(9))
    upstream.prompts[question] = Script((*RICH.splitlines(keepends=True), *paragraphs), THOUGHTS, gate=gate)
    await tab.ask(question)
    gate.let_out(1)
    await expect(tab.article(1).locator("summary")).to_be_visible()
    await screens.take(tab, "thinking")
    gate.let_out(len(THOUGHTS) + HALF_OF_THE_CODE)
    await expect(tab.article(1).locator("pre")).to_be_visible()
    await tab.question.fill("and then")
    await screens.take(tab, "half")
    gate.let_out(len(RICH))
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await expect(tab.button("Regenerate")).to_be_visible()
    await screens.take(tab, "done")
    await tab.page.evaluate("scrollTo(0, 0)")
    await expect(tab.button("Jump to the end")).to_be_visible()
    await screens.take(tab, "scrolled up")

    await tab.button("Edit question").click()
    await screens.take(tab, "editing")
    await tab.button("Cancel").click()

    upstream.prompts[f"{question} again"] = Script(text=("half ", "of ", "it"), error="overloaded_error", error_after=2)
    await tab.ask(f"{question} again")
    await expect(tab.button("Retry")).to_be_visible()
    await screens.take(tab, "failed")

    if await tab.button("Conversations").is_visible():
        await tab.button("Conversations").click()
        await screens.take(tab, "list")
        await tab.button("Close").click()

    await tab.page.route("**/api/consume-stream*", lambda route: route.abort())
    await tab.page.route("**/api/generate-stream", lambda route: route.fulfill(status=409, json=BUSY))
    await tab.ask("while another one runs")
    await expect(tab.button("Stop it")).to_be_visible()
    await screens.take(tab, "busy")


BUSY = {"error": {"code": "generation_running", "message": "An answer is being written."}, "generation": 9}
