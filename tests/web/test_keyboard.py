"""The page by keys alone: in an order that makes sense, always seen where one is, and Escape leads back."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader, reading
from tests.web.tab import Tab
from tests.web.test_accessibility import RICH

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

STOPS_MAX = 40

FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const at = document.elementFromPoint((left + right) / 2, Math.min((top + bottom) / 2, innerHeight - 1));
  const ringed = (node) => {
    const { outlineStyle, boxShadow } = getComputedStyle(node);
    return outlineStyle !== 'none' || boxShadow !== 'none';
  };
  const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(element);
  const width = outlineStyle === 'none' ? 0 : parseFloat(outlineWidth) + parseFloat(outlineOffset);
  const frame = element.parentElement.closest('.code, .table, nav')?.getBoundingClientRect();
  const label = [...element.labels?.[0]?.childNodes ?? []].filter((node) => !node.contains(element));
  return {
    name: element.getAttribute('aria-label') || label.map((node) => node.textContent).join('') || element.textContent,
    kind: element.localName,
    covered: !(element.contains(at) || at?.contains(element)),
    cut: frame && (left - width < frame.left || right + width > frame.right || top - width < frame.top),
    ringed: ringed(element) || ringed(element.closest('form') ?? element),
  };
}"""
"""What has the focus: whether something lies over it, and whether it looks focused, all around."""


@pytest.fixture
async def on_phone(browser: Browser, origin: str, session: str) -> AsyncIterator[Reader]:
    """Someone with a narrow screen."""
    async with reading(browser, origin, session, viewport={"width": 390, "height": 844}) as one:
        yield one


async def stops(tab: Tab) -> list[tuple[str, str]]:
    """Once around by Tab, from the question to the question: the kind and name of each place, all of them visible."""
    found = []
    await tab.question.focus()
    for _ in range(STOPS_MAX):
        await tab.page.keyboard.press("Tab")
        focused = await tab.page.evaluate(FOCUSED)
        if not focused:
            continue
        assert not focused["covered"], focused
        assert focused["ringed"], focused
        assert not focused["cut"], focused
        found.append((focused["kind"], focused["name"]))
        if focused["name"] == "Your question":
            return found
    raise AssertionError(found)


async def test_tab_leads_through_all_that_can_be_done_in_the_order_of_the_page(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=(RICH, *(f"\n\nparagraph {n}" for n in range(40))), thinking=("Hm.",))
    tab = await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await expect(tab.button("Copy code")).to_be_visible()
    found = await stops(tab)
    names = [name if kind != "pre" else "code" for kind, name in found]
    thought = next(name for kind, name in found if kind == "summary")
    assert names == [
        "Model", "Without streaming",
        "Skip to the question", session, f"Delete {session}", "New conversation",
        "Edit question", thought, "a link", "Table", "Copy code", "code", "Table", "Copy answer", "Regenerate",
        "Your question",
    ]  # fmt: skip


async def test_enter_sends_and_with_shift_it_makes_a_new_line(reader: Reader, upstream: Upstream, session: str) -> None:
    upstream.prompts[f"{session}\nand more"] = Script(text=("an ", "answer"))
    tab = await reader.open()
    await expect(tab.question).to_be_focused()
    await tab.page.keyboard.type(session)
    await tab.page.keyboard.press("Shift+Enter")
    await tab.page.keyboard.type("and more")
    await expect(tab.question).to_have_value(f"{session}\nand more")
    await expect(tab.page.locator("article")).to_have_count(0)
    await tab.page.keyboard.press("Enter")
    await tab.ended("an answer")
    await expect(tab.question).to_be_focused()
    await expect(tab.question).to_have_value("")
    # A blank question is none.
    await tab.page.keyboard.press("Shift+Enter")
    await tab.page.keyboard.press("Enter")
    await expect(tab.question).to_have_value("\n")
    await expect(tab.page.locator("article")).to_have_count(1)


async def test_escape_leaves_the_editing_and_brings_back_what_was_being_written(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await tab.question.fill("half a quest")
    await tab.button("Edit question").press("Enter")
    await expect(tab.question).to_be_focused()
    await expect(tab.question).to_have_value(session)
    await tab.page.keyboard.press("Escape")
    await expect(tab.button("Cancel")).to_have_count(0)
    await expect(tab.question).to_have_value("half a quest")
    await expect(tab.question).to_be_focused()


async def test_on_a_narrow_screen_the_list_holds_the_focus_until_escape_or_close(
    on_phone: Reader, upstream: Upstream, session: str
) -> None:
    tab = await on_phone.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    toggle = tab.button("Conversations")
    listed = tab.page.get_by_role("navigation", name="Conversations")
    for key in ("Escape", "Enter"):
        await toggle.press("Enter")
        await expect(listed).to_be_focused()
        names = set()
        for _ in range(6):
            await tab.page.keyboard.press("Tab")
            focused = await tab.page.evaluate(FOCUSED)
            names.add(focused and focused["name"])
        assert names - {None} == {"Skip to the question", "Close", session, f"Delete {session}"}
        # "Close" by its own key, or Escape from wherever one is.
        await tab.button("Close").press(key)
        await expect(listed).to_be_hidden()
        await expect(toggle).to_be_focused()


async def test_a_window_that_grows_while_the_list_is_open_gives_the_page_back(on_phone: Reader) -> None:
    tab = await on_phone.open()
    await tab.button("Conversations").click()
    await expect(tab.page.locator(".page")).to_have_attribute("inert", "")
    await tab.page.set_viewport_size({"width": 1440, "height": 900})
    await tab.question.fill("a question")
    await expect(tab.question).to_be_focused()


async def test_the_focus_is_not_lost_with_a_conversation_that_is_deleted(reader: Reader, session: str) -> None:
    tab = await reader.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await tab.button("New conversation").click()
    tab.page.on("dialog", lambda dialog: dialog.accept())
    await tab.button(f"Delete {session}").press("Enter")
    await expect(tab.button(f"Delete {session}")).to_have_count(0)
    await expect(tab.page.get_by_role("navigation", name="Conversations")).to_be_focused()
