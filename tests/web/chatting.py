"""Applications of the AI SDK's chat, bundled as their authors would, and one person's tabs on them."""

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from deploy import node
from deploy.page import WEB
from tests.dialects.conftest import CLIENTS

SOON_S = 20.0
MAJORS = {"ai7": ("@ai-sdk/react", "ai"), "ai6": ("@ai-sdk/react-v3", "ai-v6"), "ai5": ("@ai-sdk/react-v2", "ai-v5")}
"""The packages of each major version, as they are installed here."""

_MAIN = """
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Chat } from './chat.jsx'
createRoot(document.body).render(<StrictMode><Chat /></StrictMode>)
"""


def bundle(place: Path, text: str, major: str) -> str:
    """An application whose text exports `Chat` and says the packages' own names, with those of a major version."""
    hook, sdk = MAJORS[major]
    node.install(CLIENTS)
    node.install(WEB)
    (place / "chat.jsx").write_text(text.replace('"@ai-sdk/react"', f'"{hook}"').replace('from "ai"', f'from "{sdk}"'))
    (place / "main.jsx").write_text(_MAIN)
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
        self._origin = origin
        self._session = session

    async def open(self, origin: str = "") -> Page:
        """One more; at another address of the origin where one is given."""
        page = await self._context.new_page()
        page.set_default_timeout(SOON_S * 1000)
        await page.goto(f"{origin or self._origin}/chat.html?chat={self._session}")
        return page


@asynccontextmanager
async def tabs_on(browser: Browser, origin: str, session: str, app: str) -> AsyncIterator[Tabs]:
    """A browser that has the application at the origin. An error that a tab did not catch fails the test."""
    context = await browser.new_context()
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    html = '<!doctype html><title>chat</title><body><script type="module" src="/chat.js"></script>'
    await context.route("**/chat.html*", lambda route: route.fulfill(content_type="text/html", body=html))
    await context.route("**/chat.js", lambda route: route.fulfill(content_type="text/javascript", body=app))
    try:
        yield Tabs(context, origin, session)
    finally:
        await context.close()
    assert errors == []


async def ask(tab: Page, question: str) -> None:
    """Ask in a tab."""
    await tab.get_by_label("Question").fill(question)
    await tab.get_by_label("Question").press("Enter")


async def shows(tab: Page, *texts: str) -> None:
    """Wait until these are its messages, or the parts of them."""
    await expect(tab.locator("p")).to_have_text(list(texts), timeout=SOON_S * 1000)
