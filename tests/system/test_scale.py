"""Every process is restarted under load, one after the other, and one is added: those who read hardly notice."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests import nginx
from tests.consume_stream.facts import metric
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import until
from tests.system.audience import Audience
from tests.system.fleet import Fleet, sailing
from tests.system.invariant import holds

pytestmark = [pytest.mark.anyio, pytest.mark.scale]

SESSIONS = int(os.environ.get("SESSIONS", "200"))
"""With three readers each."""

READERS = 3
COMING_S = 5.0
"""In this time the first nine tenths of the sessions begin; each has its last reader as long after that."""

PACE_S = 0.5
PIECES = 60
DRAIN_S = 2.0
"""Far less than the rest of an answer: what runs in a process that is told to end goes on in the other one."""

PAUSE_S = 2.0
"""The longest that a reader may be without a word. The wait of the page before it comes back is up to 1 s of it.
What the machine itself kept this very process waiting meanwhile comes on top.
"""

SETTLED_S = 30.0
TICK_S = 0.02


@pytest.fixture
async def fleet(own_redis: str, upstream: Upstream, leash: Leash, tmp_path: Path) -> AsyncIterator[Fleet]:
    """2 × generate-stream, 3 × consume-stream, nginx."""
    nginx.needed()
    async with sailing(Fleet(leash, tmp_path, own_redis, upstream.url, DRAIN_S)) as running:
        yield running


@pytest.mark.timeout(200)
async def test_each_process_is_restarted_and_one_is_added_and_every_reader_reads_on(
    fleet: Fleet, upstream: Upstream, own_client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = [str(nanoid.generate()) for _ in range(SESSIONS)]
    upstream.prompts |= {each: Script(text=words(each), delay_s=PACE_S) for each in sessions}
    early, late = sessions[SESSIONS // 10 :], sessions[: SESSIONS // 10]
    async with Audience(fleet.nginx.url) as audience, kept_waiting() as waited:
        await asyncio.gather(*(comes(audience, each, random.uniform(0, COMING_S)) for each in early))
        await until(audience.all_read, SETTLED_S)

        added = await fleet.grow()
        coming = asyncio.create_task(come(audience, late))
        await until(lambda: metric(added, "rejoin_viewers"), SETTLED_S)
        # Whoever was there before is where it was.
        assert [reader.cuts for reader in audience.all] == [0] * len(audience.all)

        for service in fleet.processes:
            await fleet.restart(service)
            # As a roll-out does that is not in a hurry (minReadySeconds): nobody is sent away twice in a row.
            await until(audience.all_back, SETTLED_S)
        await fleet.reload()
        await coming
        await audience.leaves()

    for session in sessions:
        await holds(own_client, session, audience.readers[session], "".join(words(session)))
    metas = [await own_client.hgetall(keys.meta(session)) for session in sessions]
    # Let go of, taken over, and no loss: the restarts fell into the middle of answers.
    assert [meta.get("losses") for meta in metas] == [None] * SESSIONS
    assert sum(int(meta["attempt"]) > 1 for meta in metas) >= len(early) / 2
    assert sum(reader.cuts > 0 for reader in audience.all) >= READERS * len(early) / 2
    longest = max(reader.pause_s for reader in audience.all)
    with capsys.disabled():
        cuts = sum(reader.cuts for reader in audience.all)
        print(
            f"\n{SESSIONS} sessions, {len(audience.all)} readers, cut {cuts} times, {audience.repeated} questions put "
            f"again; the longest pause {longest:.2f} s, the machine's own {max(waited):.2f} s"
        )
    assert longest < PAUSE_S + max(waited)
    assert not [service.log for service in fleet.processes if "Traceback" in service.log]


@asynccontextmanager
async def kept_waiting() -> AsyncIterator[list[float]]:
    """How much later than asked this process was woken, each time."""
    late_s = [0.0]

    async def ticks() -> None:
        while True:
            due = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            late_s.append(time.monotonic() - due)

    ticking = asyncio.create_task(ticks())
    try:
        yield late_s
    finally:
        ticking.cancel()


def words(session: str) -> tuple[str, ...]:
    return tuple(f"{session[:4]} wörd {number} 🌊 " for number in range(PIECES))


async def comes(audience: Audience, session: str, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await audience.ask(session, READERS, COMING_S)


async def come(audience: Audience, sessions: Sequence[str]) -> None:
    """One a second, through all that happens."""
    await asyncio.gather(*(comes(audience, each, float(number)) for number, each in enumerate(sessions)))
