"""An answer of ten thousand chunks: the page stays quick under it."""

import asyncio
from typing import Any

import nanoid
import pytest
from playwright.async_api import Browser

from shared import keys
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.tasks import Tasks, no_long_task, traced
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

CHUNKS = 10_000
WORDS = tuple(f"w{number:04}{' ' if number % 80 else chr(10) * 2}" for number in range(CHUNKS))
AT_ONCE = 20
PACE_S = 0.02
"""Slow enough for the writer, who joins what is said faster than he writes."""

ENDED_S = 100.0


@pytest.mark.timeout(300)
async def test_no_task_of_the_page_is_long_while_ten_thousand_chunks_come(
    browser: Browser, reader: Reader, upstream: Upstream, redis_client: Any
) -> None:
    async def stage() -> Tasks:
        session = nanoid.generate()
        told = Telling(upstream, session, WORDS)
        tab = await reader.open(session)
        async with traced(browser, tab) as tasks:
            await tab.ask(session)
            for _ in range(0, CHUNKS, AT_ONCE):
                told.say(AT_ONCE)
                await asyncio.sleep(PACE_S)
            told.end()
            await tab.ended(told.sent, seconds=ENDED_S)
        # Had the writer joined them to a few, the page would have had little to do.
        assert await redis_client.xlen(keys.log(session)) > CHUNKS / AT_ONCE / 4
        await tab.page.close()
        return tasks

    await no_long_task(stage)
