"""What the tasks of a page cost, by its own thread's time: by the clock, others who share the machine would count."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser

from tests.web.tab import Tab

LONGEST_MS = 100.0
READINGS = 3


class Tasks:
    """What the tasks of a stretch of time cost, in ms, the longest last. Empty until it has ended."""

    def __init__(self) -> None:
        self.took_ms: list[float] = []


@asynccontextmanager
async def traced(browser: Browser, tab: Tab) -> AsyncIterator[Tasks]:
    """The tasks of the page from here to the end."""
    tasks = Tasks()
    await browser.start_tracing(page=tab.page, categories=["toplevel"])
    try:
        yield tasks
    finally:
        trace = await browser.stop_tracing()
    tasks.took_ms = sorted(_tasks_ms(json.loads(trace)["traceEvents"]))


async def no_long_task(stage: Callable[[], Awaitable[Tasks]]) -> None:
    """Fail if a task costs more than it may, each time that the stage is played.

    Work of the page's that is too long is so each time. A collection of garbage, or a processor that its other half
    slows, falls on one task of thousands, and seldom twice.
    """
    readings: list[list[float]] = []
    while len(readings) < READINGS:
        tasks = await stage()
        assert len(tasks.took_ms) > 20
        if tasks.took_ms[-1] <= LONGEST_MS:
            return
        readings.append(tasks.took_ms[-5:])
    raise AssertionError(f"A task is over {LONGEST_MS:.0f} ms each time: {readings}")


def _tasks_ms(events: list[dict[str, Any]]) -> Iterator[float]:
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    for event in events:
        if event["name"].endswith("::RunTask") and (event["pid"], event["tid"]) in mains and "tdur" in event:
            yield event["tdur"] / 1000
