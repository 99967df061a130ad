"""generate-stream dies, and nobody is there to go on: viewers wait for one who is, or are told how it ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deploy.leash import Leash
from tests.consume_stream.raw_viewer import raw
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import Services, until, vendor_settings
from tests.system.own_process import GENERATE, process
from tests.system.pair import SHORT, TAKEN_S, Pair
from tests.system.story import PACE_S, PIECES, SENT, Story, asked, of_attempt
from tests.viewing import Cut, Refused, Viewer

pytestmark = pytest.mark.anyio

LITTLE_S = 8.0
"""What a busy machine may add to any deadline."""


@pytest.fixture
async def caller(pair: Pair, own_client: Any, upstream: Upstream, session: str) -> AsyncIterator[Caller]:
    """A client of the producer that is lost first."""
    upstream.prompts[session] = Script(text=PIECES, delay_s=PACE_S)
    yield Caller(pair.generate, own_client, session)
    await pair.mend()


@asynccontextmanager
async def forsaken(pair: Pair, caller: Caller) -> AsyncIterator[Story]:
    """An answer in its middle, no producer alive, and viewers who hear that they are still being served."""
    async with Story(pair, caller) as story:
        await story.shows(SENT[:1000])
        story.join()
        await pair.other.kill()
        await pair.generate.kill()
        async with raw(pair.consume, {"sessionId": caller.session}) as waiting:
            await waiting.has(b": ping\n: ping\n: ping\n")
        yield story


async def test_viewers_wait_for_the_next_producer_that_starts(pair: Pair, caller: Caller, upstream: Upstream) -> None:
    async with forsaken(pair, caller) as story:
        upstream.prompts[caller.session] = Script(text=PIECES)
        await pair.other.start()
        await story.sees(of_attempt(2), TAKEN_S + LITTLE_S)
        await story.holds()


async def test_where_a_lost_producer_is_a_failure_the_next_one_that_starts_says_so(
    pair: Pair, caller: Caller, upstream: Upstream, leash: Leash, own_redis: str
) -> None:
    environ = vendor_settings(upstream.url) | SHORT | {"REDIS_URL": own_redis, "REJOIN_ON_LOST_PRODUCER": "fail"}
    async with forsaken(pair, caller) as story:
        partial = await caller.text()
        async with process(GENERATE, leash, **environ):
            await story.sees(lambda answer: bool(answer.end), TAKEN_S + LITTLE_S)
            await story.holds(partial, "failed")
    assert SENT.startswith(partial)
    told = {"code": "producer_lost", "retryable": True}
    assert told.items() <= story.early.frames[-1].event.items()
    assert asked(upstream, caller.session) == 1


async def test_an_answer_that_loses_its_producer_twice_ends_as_failed(pair: Pair, caller: Caller) -> None:
    async with Story(pair, caller) as story:
        await story.shows(SENT[:1000])
        await pair.generate.kill()
        await story.sees(lambda answer: answer.attempt == 2 and len(answer.text) > 1000)
        story.join()
        await pair.other.kill()
        partial = await text_of_attempt(caller, "2")
        await pair.generate.start()
        await story.holds(partial, "failed")
    assert SENT.startswith(partial)
    assert story.early.frames[-1].event["code"] == "producer_lost"


async def test_an_answer_that_nobody_takes_over_is_gone_after_its_time(
    pair: Pair, caller: Caller, upstream: Upstream, own_redis: str, leash: Leash
) -> None:
    await pair.generate.kill()
    await pair.other.kill()
    async with Services(own_redis, leash, vendors=upstream.url, **SHORT, REJOIN_TTL_S="2") as services:
        alone = Caller(services.generate, caller.redis, caller.session)
        async with Story(services, alone) as story:
            await story.shows(SENT[:1000])
            await services.generate.kill()
            with pytest.raises(Cut):
                await Viewer(services.consume.url, caller.session).connect()

            async def is_reset() -> bool:
                return story.early.frames[-1].event == {"type": "reset", "reason": "gone"}

            await until(is_reset, LITTLE_S)
            with pytest.raises(Refused) as refused:
                await Viewer(services.consume.url, caller.session).connect()
        assert refused.value.response.status_code == 404


async def text_of_attempt(caller: Caller, number: str) -> str:
    """The words that the log has of one attempt."""
    entries = [fields for _, fields in await caller.entries()]
    (begun,) = [at for at, fields in enumerate(entries) if fields.get("attempt") == number]
    return "".join(fields.get("content", "") for fields in entries[begun:])
