"""An answer of ten thousand chunks: the page stays quick under it."""

import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.web.reader import Reader

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

CHUNKS = 10_000
WORDS = tuple(f"w{number:04}{' ' if number % 80 else chr(10) * 2}" for number in range(CHUNKS))
PACE_S = 0.0005
LONGEST_MS = 100.0
ENDED_S = 60.0


async def test_no_task_of_the_page_is_long_while_ten_thousand_chunks_come(
    reader: Reader, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(text=WORDS, delay_s=PACE_S)
    tab = await reader.open()
    # What it took to load is another matter.
    await tab.page.evaluate("witness.longTasksMs.length = 0")
    await tab.ask(session)
    await tab.shows("".join(WORDS), seconds=ENDED_S)
    await tab.ended("".join(WORDS))
    long = await tab.witness("longTasksMs")
    assert max(long, default=0) <= LONGEST_MS, long
