"""An answer of ten thousand chunks: the page stays quick under it."""

import nanoid
import pytest
from playwright.async_api import Browser

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.tasks import Tasks, no_long_task, traced

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

CHUNKS = 10_000
WORDS = tuple(f"w{number:04}{' ' if number % 80 else chr(10) * 2}" for number in range(CHUNKS))
PACE_S = 0.0005
ENDED_S = 100.0


@pytest.mark.timeout(300)
async def test_no_task_of_the_page_is_long_while_ten_thousand_chunks_come(
    browser: Browser, reader: Reader, upstream: Upstream
) -> None:
    async def stage() -> Tasks:
        session = nanoid.generate()
        upstream.prompts[session] = Script(text=WORDS, delay_s=PACE_S)
        tab = await reader.open(session)
        async with traced(browser, tab) as tasks:
            await tab.ask(session)
            await tab.ended("".join(WORDS), seconds=ENDED_S)
        return tasks

    await no_long_task(stage)
