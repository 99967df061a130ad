"""The page is for everybody: no serious or critical violation of WCAG, in the light and in the dark."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web import axe
from tests.web.reader import Reader, reading

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

RICH = """\
# A heading

Words with **weight**, *stress*, `code` and [a link](https://elsewhere.example/).

1. one
2. two
   - three

- [x] done

> quoted

| name | size |
|---|---:|
| a | 1 |

```python
def answer(question: str) -> int:
    return 42  # whatever it was
```

Inline $a^2 + b^2$ and

$$\\int_0^1 x^2 \\, dx = \\frac13$$

| another | table |
|---|---|
| b | 2 |
"""


@pytest.fixture
async def seeing(browser: Browser, origin: str, session: str) -> AsyncIterator[Reader]:
    """Someone who reads the session, by light and by night."""
    await asyncio.to_thread(axe.install)
    async with reading(browser, origin, session, reduced_motion="reduce") as one:
        yield one


async def test_a_new_conversation_has_no_grave_violation(seeing: Reader) -> None:
    tab = await seeing.open()
    assert await axe.grave_violations(tab.page) == []


async def test_an_answer_with_everything_in_it_has_no_grave_violation_and_breaks_no_policy(
    seeing: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=(RICH,), thinking=("Let me think.",))
    tab = await seeing.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "completed")
    await expect(tab.button("Copy code", tab.article(1))).to_be_visible()
    await expect(tab.article(1).locator(".answer table")).to_have_count(2)
    # As landmarks of one name, they would be in the way of those who go from one to the next.
    await expect(tab.article(1).get_by_role("region")).to_have_count(0)
    await expect(tab.article(1).locator(".answer math").first).to_be_attached()
    assert await axe.grave_violations(tab.page) == []
    assert await tab.witness("refused") == []


async def test_a_failure_has_no_grave_violation(seeing: Reader, upstream: Upstream, session: str) -> None:
    upstream.prompts[session] = Script(status=500)
    tab = await seeing.open()
    await tab.ask(session)
    await expect(tab.article(1)).to_have_attribute("data-status", "failed")
    assert await axe.grave_violations(tab.page) == []
