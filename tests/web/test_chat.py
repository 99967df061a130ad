"""The AI SDK's `useChat` in a real browser, by the very text of the recipe: reloads, tabs, stops."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from deploy import node
from deploy.page import WEB
from tests.dialects.conftest import CLIENTS
from tests.dialects.recipes import recipe
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

MAIN = """
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Chat } from './recipe.jsx'
createRoot(document.body).render(<StrictMode><Chat /></StrictMode>)
"""
_SOON_S = 20.0


MAJORS = {"ai7": ("@ai-sdk/react", "ai"), "ai6": ("@ai-sdk/react-v3", "ai-v6"), "ai5": ("@ai-sdk/react-v2", "ai-v5")}
"""The packages of each major version, as they are installed here."""


@pytest.fixture(scope="module", params=MAJORS)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The recipe as an application, bundled: its text says the packages' own names."""
    hook, sdk = MAJORS[request.param]
    text = recipe("usechat").text.replace('"@ai-sdk/react"', f'"{hook}"').replace('from "ai"', f'from "{sdk}"')
    node.install(CLIENTS)
    node.install(WEB)
    place: Path = tmp_path_factory.mktemp("usechat")
    (place / "recipe.jsx").write_text(text)
    (place / "main.jsx").write_text(MAIN)
    (place / "package.json").write_text(json.dumps({"type": "module"}))
    (place / "node_modules").symlink_to(CLIENTS / "node_modules")
    config: dict[str, Any] = {
        "root": str(place),
        "logLevel": "error",
        "define": {"process.env.NODE_ENV": '"development"'},
        "build": {
            "target": "es2022",
            "minify": False,
            "lib": {"entry": str(place / "main.jsx"), "formats": ["es"], "fileName": "app"},
            "rollupOptions": {"external": ["/rejoin-chat.js"]},
        },
    }
    (place / "vite.config.js").write_text(f"export default {json.dumps(config)}")
    vite = WEB / "node_modules/vite/bin/vite.js"
    subprocess.run([node.node(), vite, "build", "--config", place / "vite.config.js"], cwd=place, check=True)
    return (place / "dist/app.js").read_text()


class Tabs:
    """One person's tabs on one chat."""

    def __init__(self, context: BrowserContext, origin: str, session: str) -> None:
        self._context = context
        self._url = f"{origin}/chat.html?chat={session}"

    async def open(self) -> Page:
        """One more."""
        page = await self._context.new_page()
        page.set_default_timeout(_SOON_S * 1000)
        await page.goto(self._url)
        return page


@pytest.fixture
async def tabs(browser: Browser, origin: str, session: str, app: str) -> Any:
    """A browser that has the application at the origin. An error that a tab did not catch fails the test."""
    context = await browser.new_context()
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    html = '<!doctype html><title>chat</title><body><script type="module" src="/chat.js"></script>'
    await context.route("**/chat.html*", lambda route: route.fulfill(content_type="text/html", body=html))
    await context.route("**/chat.js", lambda route: route.fulfill(content_type="text/javascript", body=app))
    yield Tabs(context, origin, session)
    await context.close()
    assert errors == []


async def ask(tab: Page, question: str) -> None:
    """Ask in a tab."""
    await tab.get_by_label("Question").fill(question)
    await tab.get_by_label("Question").press("Enter")


async def shows(tab: Page, *texts: str) -> None:
    """Wait until these are its messages."""
    await expect(tab.locator("p")).to_have_text(list(texts), timeout=_SOON_S * 1000)


async def stands(house: Services, session: str, status: str) -> None:
    """Wait until the newest answer stands so."""

    async def so() -> bool:
        async with httpx2.AsyncClient() as client:
            page = (await client.get(f"{house.consume.url}/api/sessions/{session}")).json()
        return bool(page["generations"][0]["status"] == status)

    await until(so, _SOON_S)


async def test_a_reload_and_a_second_tab_see_all_of_it(
    tabs: Tabs, house: Services, upstream: Upstream, session: str
) -> None:
    gate, question = asyncio.Semaphore(1), f"One {session}?"
    upstream.prompts[question] = Script(text=("Hel", "lo", "!"), thinking=(), gate=gate)
    one = await tabs.open()
    await ask(one, question)
    await shows(one, question, "Hel")
    await one.reload()
    await shows(one, question, "Hel")
    other = await tabs.open()
    await shows(other, question, "Hel")
    # A tab that is closed stops nothing.
    await one.close()
    gate.release()
    await shows(other, question, "Hello")
    gate.release()
    await shows(other, question, "Hello!")
    await stands(house, session, "completed")
    await other.reload()
    await shows(other, question, "Hello!")
    upstream.prompts[question] = Script(text=("Anew.",))
    await other.get_by_role("button", name="Again").click()
    await shows(other, question, "Anew.")


async def test_a_stop_in_one_tab_is_seen_in_the_other(
    tabs: Tabs, house: Services, upstream: Upstream, session: str
) -> None:
    question = f"Two {session}?"
    upstream.prompts[question] = Script(text=("Hel", "lo"), gate=asyncio.Semaphore(1))
    one = await tabs.open()
    await ask(one, question)
    await shows(one, question, "Hel")
    other = await tabs.open()
    await shows(other, question, "Hel")
    await other.get_by_role("button", name="Stop").click()
    await stands(house, session, "stopped")
    for tab in (one, other):
        upstream.prompts[f"{tab is one}"] = Script(text=("So.",))
        await ask(tab, f"{tab is one}")
        await expect(tab.locator("p").last).to_have_text("So.", timeout=_SOON_S * 1000)
