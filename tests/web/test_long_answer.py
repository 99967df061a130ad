"""An answer of ten thousand chunks: the page stays quick under it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

CHUNKS = 10_000
WORDS = tuple(f"w{number:04}{' ' if number % 80 else chr(10) * 2}" for number in range(CHUNKS))
PACE_S = 0.0005
ENDED_S = 100.0

LONGEST_MS = 100.0
"""Of the page's own thread's time. By the clock a task is as long as those who share the machine make it."""


async def test_no_task_of_the_page_is_long_while_ten_thousand_chunks_come(
    browser: Browser, reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, delay_s=PACE_S)
    tab = await reader.open()
    await browser.start_tracing(page=tab.page, categories=["toplevel"])
    await tab.ask(session)
    await tab.ended("".join(WORDS), seconds=ENDED_S)
    took_ms = list(tasks_ms(json.loads(await browser.stop_tracing())["traceEvents"]))
    assert len(took_ms) > CHUNKS / 100
    assert max(took_ms) <= LONGEST_MS, sorted(took_ms)[-5:]


def tasks_ms(events: list[dict[str, Any]]) -> Iterator[float]:
    """What each task of the pages' main threads has cost in CPU time."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    for event in events:
        if event["name"].endswith("::RunTask") and (event["pid"], event["tid"]) in mains and "tdur" in event:
            yield event["tdur"] / 1000
