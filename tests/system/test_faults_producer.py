"""generate-stream dies, or sleeps, in the middle of an answer: another tells it again, whole."""

import json
import random
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import until
from tests.system.pair import TAKEN_S, Pair
from tests.system.story import PACE_S, PIECES, Story, of_attempt

pytestmark = pytest.mark.anyio

LITTLE_S = 8.0
"""What a busy machine may add to any deadline."""


@pytest.fixture
async def caller(pair: Pair, own_client: Any, upstream: Upstream, session: str) -> AsyncIterator[Caller]:
    """A client of the producer that will meet its fate."""
    upstream.prompts[session] = Script(text=PIECES, delay_s=PACE_S)
    yield Caller(pair.generate, own_client, session)
    await pair.mend()


@pytest.mark.parametrize("moments", [range(1, 2), range(2, 1500)], ids=["the first piece", "any other"])
async def test_an_answer_whose_producer_is_killed_is_told_again_whole_by_another(
    pair: Pair, caller: Caller, upstream: Upstream, moments: range
) -> None:
    at = random.choice(moments)
    async with Story(pair, caller) as story:
        await story.shows("".join(PIECES[:at]))
        story.join()
        await pair.generate.kill()
        upstream.prompts[caller.session] = Script(text=PIECES)
        await story.sees(of_attempt(2), TAKEN_S + LITTLE_S)
        await story.holds()
    assert await caller.redis.hget(keys.meta(caller.session), "losses") == "1"


async def test_what_tools_gave_back_is_told_again_by_another(
    pair: Pair, caller: Caller, upstream: Upstream, session: str
) -> None:
    gate, result = Gate(), f"{session} 7 degrees"
    upstream.prompts[session] = Script(text=(), calls=(("call_1", "get_weather", ("{}",)),))
    await caller.ended(await caller.start(prompt=session))
    upstream.prompts[result] = Script(gate=gate)
    more: dict[str, Any] = {"metadata": {"case": "7"}, "temperature": 0.5}
    assert await caller.start(toolResults=[{"callId": "call_1", "content": result}], **more) == 2
    await gate.reached_within(LITTLE_S)
    upstream.prompts[result] = Script()
    await pair.generate.kill()
    assert (await caller.ended(2))["status"] == "completed"
    _, first, second = await caller.started()
    assert (first["continues"], first["metadata"], first["temperature"]) == ("1", '{"case": "7"}', "0.5")
    assert {**first, "attempt": "2", "startedAt": second["startedAt"]} == second
    heard = [request.body for request in upstream.requests if request.prompt == result]
    assert [message["role"] for message in heard[0]["messages"]] == ["user", "assistant", "tool"]
    assert heard[0] == heard[-1]


async def test_a_producer_that_slept_past_its_lease_writes_no_word_more_and_lets_go_of_its_vendor(
    pair: Pair, caller: Caller, upstream: Upstream
) -> None:
    sleeper, taker = Gate(), Gate()
    upstream.prompts[caller.session] = Script(text=PIECES, gate=sleeper)
    async with Story(pair, caller) as story:
        sleeper.let_out(500)
        await story.shows("".join(PIECES[:500]))
        story.join()
        assert pair.generate.process
        pair.generate.process.send_signal(signal.SIGSTOP)
        upstream.prompts[caller.session] = Script(text=PIECES, gate=taker)
        sleeper.let_out(700)
        await story.sees(of_attempt(2))
        taker.let_out(1000)
        await story.shows("".join(PIECES[:1000]))
        before = await caller.entries()
        pair.generate.process.send_signal(signal.SIGCONT)
        await sleeper.left_within(TAKEN_S + LITTLE_S)
        assert await caller.entries() == before
        taker.let_out(1001)
        await story.holds()
    assert [fields["attempt"] for fields in await caller.started()] == ["1", "2"]
    assert '"outcome": "fenced"' in pair.generate.log


async def test_a_request_that_only_a_newer_version_can_read_holds_up_no_other(
    pair: Pair, caller: Caller, upstream: Upstream, session: str
) -> None:
    newer = Caller(pair.generate, caller.redis, f"newer-{session}")
    for each in (newer, caller):
        gate = Gate()
        upstream.prompts[each.session] = Script(gate=gate)
        await each.start(prompt=each.session, provider="openai")
        await gate.reached_within(LITTLE_S)
        upstream.prompts[each.session] = Script()
    request = json.loads(await caller.redis.hget(keys.meta(newer.session), "request"))
    await caller.redis.hset(keys.meta(newer.session), "request", json.dumps(request | {"fieldOfTomorrow": 1}))
    await pair.generate.kill()

    async def is_told() -> bool:
        return bool(await caller.redis.hget(keys.meta(session), "status") == "completed")

    await until(is_told, TAKEN_S + 3 * LITTLE_S)
    assert await caller.redis.hget(keys.meta(newer.session), "status") == "running"
    await caller.redis.hset(keys.meta(newer.session), "request", json.dumps(request))

    async def is_told_too() -> bool:
        return bool(await caller.redis.hget(keys.meta(newer.session), "status") == "completed")

    await until(is_told_too, TAKEN_S + 3 * LITTLE_S)
