"""axe-core: what in a page keeps people out, by the rules of WCAG 2.2 A and AA."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

from deploy import node
from tests.web.schemes import each_scheme

_HERE = Path(__file__).parent
_SOURCE = _HERE / "node_modules/axe-core/axe.min.js"
_GRAVE = ("serious", "critical")
_RUN = "async (rules) => (await axe.run(document, { resultTypes: ['violations'], ...rules })).violations"
_OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""All that another scheme can change."""


def install() -> None:
    """Fetch axe-core; raises RuntimeError without Node, CalledProcessError where npm fails."""
    node.install(_HERE)


async def grave_violations(page: Page) -> list[str]:
    """Each rule that the page breaks gravely, in the light or in the dark, with the place and the reason."""
    # Evaluated from outside, which no content policy forbids, and not added as a script, which ours does.
    if not await page.evaluate("'axe' in globalThis"):
        await page.evaluate(_SOURCE.read_text("utf-8"))
    found: list[dict[str, Any]] = []
    rules: dict[str, Any] = {}
    async for _ in each_scheme(page):
        found += await page.evaluate(_RUN, rules)
        rules = _OF_COLOURS
    grave = [violation for violation in found if violation["impact"] in _GRAVE]
    return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in grave for node in each["nodes"]]
