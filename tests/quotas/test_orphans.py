"""An answer that nobody watches is ended after a while; one that somebody watches, or waits for, never."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import nanoid
import pytest

from deploy.leash import Leash
from tests.consume_stream.raw_viewer import raw
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import Service, Services, until, vendor_settings
from tests.proxy import Proxy
from tests.system.own_process import GENERATE, process
from tests.system.watched import Watched

pytestmark = pytest.mark.anyio

GRACE_S = 2.0
WITHIN_S = GRACE_S + 2.0
SETTINGS: dict[str, Any] = {"REJOIN_ORPHAN_GRACE_S": GRACE_S, "REJOIN_LEASE_S": 60}
"""The lease: nobody shall take over what is cut off for a while."""

LITTLE_S = 8.0
"""What a busy machine may add to any deadline."""


@pytest.fixture(scope="module")
async def house(url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """Both services, which let nobody's answers go."""
    async with Services(url, leash, vendors=upstream.url, **SETTINGS) as running:
        yield running


class Unwatched:
    """An answer that goes on for ever, unless somebody ends it."""

    def __init__(self, service: Service, client: Any, upstream: Upstream) -> None:
        self.gate = Gate()
        self.caller = Caller(service, client, str(nanoid.generate()))
        upstream.prompts[self.caller.session] = Script(gate=self.gate)

    async def begun(self) -> float:
        """Begin it; returns when it had begun."""
        await self.caller.start(prompt=self.caller.session, provider="openai")
        return time.monotonic()

    async def orphaned(self) -> float:
        """Wait for its end, which must be an orphan's; returns when it came."""
        end = await self.caller.ended()
        at = time.monotonic()
        assert (end["status"], end["finishReason"]) == ("stopped", "orphaned")
        await self.gate.left_within(LITTLE_S)
        return at


async def test_nobodys_answer_is_ended_in_time_and_its_vendor_let_go(
    house: Services, client: Any, upstream: Upstream
) -> None:
    one = Unwatched(house.generate, client, upstream)
    began = await one.begun()
    lasted_s = await one.orphaned() - began
    assert GRACE_S - 0.1 <= lasted_s <= WITHIN_S + LITTLE_S
    # The session goes on as after any stop.
    upstream.prompts["More?"] = Script()
    assert await one.caller.start(prompt="More?") == 2


async def test_what_is_watched_goes_on_while_others_of_its_age_are_ended(
    house: Services, client: Any, upstream: Upstream, session: str
) -> None:
    async with Watched(house, upstream, session, ("a ", "b ")) as watched:
        watched.watch()
        watched.say(1)
        await watched.shown()
        for _ in range(2):
            other = Unwatched(house.generate, client, upstream)
            await other.begun()
            await other.orphaned()
        watched.say(2)
        await watched.holds(client)


async def test_a_viewer_who_comes_back_in_time_saves_it_and_one_who_stays_away_does_not(
    house: Services, client: Any, upstream: Upstream, session: str
) -> None:
    caller, other = Caller(house.generate, client, session), Unwatched(house.generate, client, upstream)
    upstream.prompts[session] = Script(gate=Gate())
    await caller.start(prompt=session, provider="openai")
    await other.begun()
    ending = asyncio.create_task(other.orphaned())
    while not ending.done():
        async with raw(house.consume, {"sessionId": session}) as viewer:
            await viewer.has(b"started")
            await seen_by_a_look(client)
    await ending
    assert len(await caller.entries()) == 1
    assert (await caller.ended())["finishReason"] == "orphaned"


async def seen_by_a_look(client: Any) -> None:
    """Wait until somebody has asked for groups twice: one of these looks began after this."""

    async def asked() -> int:
        stats = await client.info("commandstats")
        return sum(stats[name]["calls"] for name in stats if name.startswith("cmdstat_xinfo"))

    before = await asked()

    async def looked() -> bool:
        return await asked() >= before + 3

    await until(looked, 10)


async def test_who_waits_for_a_whole_answer_watches_it(house: Services, client: Any, upstream: Upstream) -> None:
    waited_for = Unwatched(house.generate, client, upstream)
    asking = asyncio.create_task(
        _whole(house, {"sessionId": waited_for.caller.session, "prompt": waited_for.caller.session})
    )
    await waited_for.gate.reached_within(LITTLE_S + WITHIN_S)
    other = Unwatched(house.generate, client, upstream)
    await other.begun()
    await other.orphaned()
    waited_for.gate.let_out(10)
    answer = await asking
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")


async def _whole(house: Services, body: dict[str, Any]) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=60, verify=False) as asker:
        told = {**body, "provider": "openai", "stream": False}
        return await asker.post(f"{house.generate.url}/api/generate-stream", json=told)


async def test_while_redis_is_away_nobody_is_stopped_and_afterwards_the_time_starts_again(
    url: str, house: Services, client: Any, upstream: Upstream, leash: Leash
) -> None:
    async with Proxy(url) as wire:
        settings = vendor_settings(upstream.url) | {"REDIS_URL": wire.url} | {n: str(v) for n, v in SETTINGS.items()}
        async with process(GENERATE, leash, **settings) as apart:
            cut_off, other = Unwatched(apart, client, upstream), Unwatched(house.generate, client, upstream)
            await cut_off.begun()
            await wire.refuse()
            await other.begun()
            await other.orphaned()
            healed = time.monotonic()
            await wire.heal()
            assert await cut_off.orphaned() - healed >= GRACE_S
