"""Scrolling is smooth while ten thousand chunks come, and who has scrolled up stays there."""

from statistics import median

import pytest

from tests.fakes.upstream import Upstream
from tests.web.reader import Reader
from tests.web.tab import squeezed
from tests.web.telling import Telling

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

WORDS = tuple(f"w{number:04}{' ' if number % 80 else chr(10) * 2}" for number in range(10_000))

FRAME_MS = 20.0
"""60 frames a second are 16.7 ms, and a timer's grain."""

LATE_MS = 100.0
"""One frame in twenty may be late by this: by the clock, and others who share the machine take their part of it."""

_COUNT = """() => {
  const frames = globalThis.frames = []
  let before = performance.now()
  const look = (now) => {
    frames.push(now - before)
    before = now
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}"""

_IN_SIGHT = """() => {
  const paragraph = document.elementsFromPoint(600, 300).find((element) => element.matches('.answer p'))
  return [paragraph.textContent, Math.round(paragraph.getBoundingClientRect().top)]
}"""
"""The reader's place is what he reads: what is above may turn out to be higher than it was thought."""


async def test_scrolling_is_smooth_while_an_answer_comes_and_the_reader_stays_where_he_is(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    tab = await reader.open()
    told = Telling(upstream, session, WORDS)
    await tab.ask(session)
    told.say(3_000)
    await tab.shows(told.sent)
    devtools = await tab.page.context.new_cdp_session(tab.page)
    await tab.page.evaluate(_COUNT)
    for distance in (4_000, -2_000, 1_000):
        told.say(2_000)
        gesture = {"x": 400, "y": 300, "yDistance": distance, "speed": 3_000, "gestureSourceType": "mouse"}
        await devtools.send("Input.synthesizeScrollGesture", gesture)
    frames = sorted(await tab.page.evaluate("frames"))
    in_sight = await tab.page.evaluate(_IN_SIGHT)
    told.end()
    await tab.ended("".join(WORDS))
    assert await tab.page.evaluate(_IN_SIGHT) == in_sight
    assert squeezed("".join(WORDS)) == await tab.words()
    assert median(frames) <= FRAME_MS, frames[-10:]
    assert frames[len(frames) * 95 // 100] <= LATE_MS, frames[-10:]
