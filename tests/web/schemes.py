"""The colours of a page: it has those of the light and of the dark, and is looked at in both as it stands there."""

from collections.abc import AsyncIterator
from typing import Literal

from playwright.async_api import Page

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


async def each_scheme(page: Page) -> AsyncIterator[Scheme]:
    """The page in one scheme, then in the other."""
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        yield scheme
