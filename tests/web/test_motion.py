"""Who wants no motion gets none: nothing on the page is animated, from the first word to the last."""

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.fakes.upstream import Upstream
from tests.web.reader import reading
from tests.web.tab import Tab
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

ANIMATED = "document.getAnimations().length"
OPENING = f"""async () => {{
  document.querySelector('[aria-controls=conversations]').click();
  await new Promise(requestAnimationFrame);
  return {ANIMATED};
}}"""
"""The list comes in; in one step, for that is soon over."""

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
async def test_motion_is_only_for_those_who_do_not_mind(
    browser: Browser, origin: str, upstream: Upstream, session: str, motion: Literal["no-preference", "reduce"]
) -> None:
    async with reading(browser, origin, session, reduced_motion=motion, viewport=PHONE) as reader:
        tab = await reader.open()
        told = Telling(upstream, session)
        await tab.ask(session)
        await expect(tab.article(1).locator(".typing")).to_be_visible()
        seen = [await animated(tab)]
        told.say(5)
        await tab.shows(told.sent)
        seen.append(await animated(tab))
        told.end()
        await tab.ended(told.sent)
        seen.append(await tab.page.evaluate(OPENING) > 0)
    assert seen == [motion == "no-preference"] * 3


async def animated(tab: Tab) -> bool:
    """Whether anything moves."""
    return bool(await tab.page.evaluate(ANIMATED) > 0)
