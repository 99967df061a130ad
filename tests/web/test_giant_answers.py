"""Answers of ten thousand lines without a paragraph's end, code of 200 KB, many answers at a reload: no long task."""

import nanoid
import pytest
from playwright.async_api import Browser

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.tasks import Tasks, no_long_task, traced

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

LINES = 10_000
CODE = "".join(f"def f_{line}(x: int) -> str:  # {line}\n    return 'x' * {line}\n" for line in range(3_400))[:200_000]
GIANTS = {
    "code": f"Here:\n```python\n{CODE}\n```\n",
    "paragraph": "".join(f"line {line} of **one** paragraph\n" for line in range(LINES)),
    "list": "".join(f"- item {line} of `one` list\n" for line in range(LINES)),
    "table": "| a | b |\n|---|---|\n" + "".join(f"| row {line} | `x` |\n" for line in range(LINES)),
}
PIECES = 1_000
PACE_S = 0.002
DONE_MS = 60_000.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", GIANTS)
async def test_no_task_is_long_while_a_giant_block_grows(
    browser: Browser, reader: Reader, upstream: Upstream, kind: str
) -> None:
    giant = GIANTS[kind]
    size = len(giant) // PIECES + 1
    pieces = tuple(giant[at : at + size] for at in range(0, len(giant), size))

    async def stage() -> Tasks:
        session = nanoid.generate()
        upstream.prompts[session] = Script(text=pieces, delay_s=PACE_S)
        tab = await reader.open(session)
        async with traced(browser, tab) as tasks:
            await tab.ask(session)
            # Not by `expect`: it looks at the whole page each time, in a task that is the page's own.
            await tab.page.wait_for_selector('article[data-status="completed"]', state="attached", timeout=DONE_MS)
        await tab.page.wait_for_selector(".section.plain", state="detached")
        words = await tab.words()
        assert all(str(line) in words for line in range(0, 3_000, 100))
        await tab.page.close()
        return tasks

    await no_long_task(stage)


TURNS = 8
RICH = "".join(
    f"## Heading {n}\n\nWords of **weight** about `code {n}`.\n\n- one\n- two\n"
    f"```python\ndef f_{n}():\n    pass\n```\n\n"
    for n in range(150)
)
FIRST = """new MutationObserver((_, observer) => {
  const sections = [...document.querySelectorAll('.section')];
  const waiting = sections.filter((section) => section.matches('.plain'));
  if (waiting.length === sections.length) return;
  observer.disconnect();
  globalThis.first = { newest: !waiting.includes(sections.at(-1)), waiting: waiting.length };
}).observe(document, { subtree: true, childList: true })"""
"""What there was when any section was drawn."""


async def test_no_task_is_long_when_a_session_of_many_long_answers_is_opened_and_the_newest_is_drawn_first(
    browser: Browser, reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=(RICH,))
    asked = {"sessionId": session, "prompt": session, "provider": "openai", "stream": False}
    for _ in range(TURNS):
        await reader.context.request.post(f"{reader.origin}/api/generate-stream", data=asked, fail_on_status_code=True)
    tab = await reader.open()
    await tab.page.add_init_script(FIRST)

    async def stage() -> Tasks:
        async with traced(browser, tab) as tasks:
            await tab.page.reload(wait_until="commit")
            await tab.article(TURNS).wait_for(state="attached")
            await tab.page.wait_for_selector(".section.plain", state="detached", timeout=DONE_MS)
        first = await tab.page.evaluate("first")
        assert first["newest"]
        assert first["waiting"] > TURNS
        return tasks

    await no_long_task(stage)


FOOTNOTES = "A claim[^1].\n\n" + "".join(f"Paragraph {n} {'word ' * 30}\n\n" for n in range(80)) + "[^1]: The source.\n"


async def test_a_footnote_far_from_its_reference_is_readable_text(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=(FOOTNOTES,))
    tab = await reader.open()
    await tab.ask(session)
    await tab.ended(FOOTNOTES)
