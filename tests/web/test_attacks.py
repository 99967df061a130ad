"""Words of people and models never act: no script runs, no dialog opens, no request leaves the origin."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Dialog, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.attacks import ATTACKS, ELSEWHERE, EXECUTABLE
from tests.web.reader import Reader
from tests.web.tab import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

FOUND = """([articles, selector]) => [...document.querySelectorAll(articles)].flatMap((article) => {
  const elements = [...article.querySelectorAll('*')];
  return [
    ...elements.filter((element) => element.matches(selector)).map(({ outerHTML }) => outerHTML),
    ...elements.flatMap(({ attributes }) => [...attributes])
      .filter(({ name, value }) => name.startsWith('on')
        || (/^(href|xlink:href|src|action)$/.test(name) && /^\\s*(javascript|vbscript|data:text)/i.test(value)))
      .map(({ name, value }) => `${name}=${value}`),
  ];
})"""
"""Every element that could act, and every attribute that could, in these articles."""

LINKS = "a => a.map(({ href, target, rel }) => [href, target, rel])"
SEEN = ".prompt, .answer"


@pytest.fixture
async def attacked(reader: Reader) -> Tab:
    """A tab that says which dialogs were opened in it."""

    async def dismiss(dialog: Dialog) -> None:
        reader.dialogs.append(dialog.message)
        await dialog.dismiss()

    reader.context.on("dialog", dismiss)
    return await reader.open()


async def nothing_happened(reader: Reader, tab: Tab) -> None:
    """The claim: what was written lies there as words."""
    assert await tab.page.evaluate(FOUND, [SEEN, EXECUTABLE]) == []
    assert reader.dialogs == []
    assert await tab.page.evaluate("globalThis.attacked") is None
    # The policy is the second wall: what it had to refuse has passed the first.
    assert await tab.witness("refused") == []
    outside = [url for url in reader.requests if urlsplit(url).scheme in ("http", "https", "ws", "wss")]
    assert [url for url in outside if not url.startswith(f"{reader.origin}/")] == []


async def test_attacks_in_a_question_and_its_answer_are_words(
    reader: Reader, attacked: Tab, upstream: Upstream, session: str
) -> None:
    everything = f"{session}\n\n" + "\n\n".join(ATTACKS.values()) + "\n\nthe end"
    # In small pieces, so that each is once half a tag, half a link, half an address.
    pieces = tuple(everything[at : at + 7] for at in range(0, len(everything), 7))
    upstream.prompts[everything] = Script(text=pieces, thinking=(everything,), delay_s=0.001)
    await attacked.ask(everything)
    await expect(attacked.article(1)).to_have_attribute("data-status", "completed")
    await expect(attacked.article(1).locator(".answer")).to_contain_text("the end")
    await nothing_happened(reader, attacked)
    # And once more for one who comes late, and renders it at one stroke.
    await attacked.page.reload()
    await expect(attacked.article(1).locator(".answer")).to_contain_text("the end")
    await nothing_happened(reader, attacked)


async def test_each_attack_by_itself_is_words(reader: Reader, attacked: Tab, upstream: Upstream, session: str) -> None:
    # One after the other, for together one might hide another.
    for generation, (kind, attack) in enumerate(ATTACKS.items(), 1):
        prompt = f"{session} {kind} {attack}"
        upstream.prompts[prompt] = Script(text=(attack, "\n\nthe end"))
        await attacked.ask(prompt)
        await expect(attacked.article(generation)).to_have_attribute("data-status", "completed")
        await expect(attacked.article(generation).locator(".prompt")).to_contain_text(kind)
        await nothing_happened(reader, attacked)


async def test_links_of_an_answer_open_elsewhere_and_say_nothing_of_where_they_were(
    reader: Reader, attacked: Tab, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=(f"[a page]({ELSEWHERE}/page) ![a pic", f"ture]({ELSEWHERE}/p.png)"))
    await attacked.ask(session)
    await expect(attacked.article(1)).to_have_attribute("data-status", "completed")
    links = attacked.article(1).locator(".answer a")
    await expect(links).to_have_count(2)
    for href, target, rel in await links.evaluate_all(LINKS):
        assert href.startswith(f"{ELSEWHERE}/")
        assert target == "_blank"
        assert set(rel.split()) >= {"noopener", "noreferrer", "nofollow"}
    await expect(links.nth(1)).to_contain_text("a picture")
    await nothing_happened(reader, attacked)


async def test_a_link_leads_to_the_web_or_to_mail_and_nowhere_else(
    attacked: Tab, upstream: Upstream, session: str
) -> None:
    schemes = (
        "https",
        "http",
        "mailto",
        "tel",
        "javascript",
        "data",
        "vbscript",
        "file",
        "blob",
        "intent",
        "ms-settings",
    )
    upstream.prompts[session] = Script(text=(" ".join(f"[x]({scheme}:{ELSEWHERE[6:]})" for scheme in schemes),))
    await attacked.ask(session)
    await expect(attacked.article(1)).to_have_attribute("data-status", "completed")
    opened = await attacked.article(1).locator(".answer a").evaluate_all("a => a.map(({ protocol }) => protocol)")
    assert "https:" in opened
    assert set(opened) <= {"https:", "http:", "mailto:", "tel:"}


async def test_a_link_whose_words_say_another_place_tells_where_it_leads(
    attacked: Tab, upstream: Upstream, session: str
) -> None:
    said = (
        f"[https://bank.example/{'a' * 200}]({ELSEWHERE}/x)",
        "https://bank.example@elsewhere.example/",
        f"[y]({ELSEWHERE})",
    )
    upstream.prompts[session] = Script(text=(" and ".join(said),))
    await attacked.ask(session)
    await expect(attacked.article(1)).to_have_attribute("data-status", "completed")
    links = attacked.article(1).locator(".answer a")
    await expect(links).to_have_count(3)
    for number in (0, 1):
        await expect(links.nth(number)).to_contain_text("(elsewhere.example)")
    await expect(links.nth(2)).to_have_text("y")
    assert await attacked.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_formula_that_is_none_stands_there_as_it_was_written(
    reader: Reader, attacked: Tab, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=("$$x^2$$\n\n", "$$\\frac{y$$"))
    await attacked.ask(session)
    await expect(attacked.article(1).locator(".answer math")).to_have_count(1)
    await expect(attacked.article(1)).to_have_attribute("data-status", "completed")
    await expect(attacked.article(1).locator(".answer")).to_contain_text("\\frac{y")
    await nothing_happened(reader, attacked)


async def test_the_origin_asks_for_the_strict_policy(reader: Reader, attacked: Tab) -> None:
    response = await attacked.page.reload()
    assert response
    policy = (await response.all_headers())["content-security-policy"]
    assert {
        "default-src 'none'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    } <= {each.strip() for each in policy.split(";")}
    assert "unsafe" not in policy
