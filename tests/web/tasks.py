"""What the tasks of a page cost, by its own thread's time: by the clock, others who share the machine would count."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser

from tests.web.tab import Tab

LONGEST_MS = 100.0


@asynccontextmanager
async def no_long_task(browser: Browser, tab: Tab) -> AsyncIterator[None]:
    """Fail if any task of the page costs more, from here to the end."""
    await browser.start_tracing(page=tab.page, categories=["toplevel"])
    try:
        yield
    finally:
        trace = await browser.stop_tracing()
    took_ms = sorted(_tasks_ms(json.loads(trace)["traceEvents"]))
    assert len(took_ms) > 20
    assert took_ms[-1] <= LONGEST_MS, took_ms[-5:]


def _tasks_ms(events: list[dict[str, Any]]) -> Iterator[float]:
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    for event in events:
        if event["name"].endswith("::RunTask") and (event["pid"], event["tid"]) in mains and "tdur" in event:
            yield event["tdur"] / 1000
