"""A generation gets its one end, whatever its provider does when it is closed. Its log is a real one."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.exceptions import ResponseError

from services.generate_stream import starting
from services.generate_stream.bodies import StartBody
from services.generate_stream.generation import Limits
from services.generate_stream.log import Lease, Log
from services.generate_stream.producer import Producer
from services.generate_stream.providers import ChatRequest, Delta, Done, Part
from services.generate_stream.quotas import Quotas
from shared import keys
from shared.channels import Channels
from shared.instance import new_instance
from shared.quotas import Allowance
from tests.connections import connector, wires
from tests.processes import until
from tests.system.invariant import holds

pytestmark = pytest.mark.anyio

LEASE_S = 6.0
BEAT_S = LEASE_S / 3
SOON_S = 10.0
MOST_BYTES = 9


class Sore:
    """A provider that says its words, then what its question asks for, and raises whenever it is closed."""

    name = "sore"
    models: tuple[str, ...] = ("sore",)
    formats: tuple[str, ...] = ()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """`done`, `much` (more words than an answer may have), `raise`, or silence."""
        asked = request.messages[-1].content
        try:
            yield Delta("Hello")
            if asked == "much":
                yield Delta(", much too long")
            if asked == "raise":
                raise RuntimeError("sore in the middle")
            if asked == "done":
                yield Done("stop", None)
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("sore at the end")

    async def warm(self) -> None:
        """Nothing is put off."""

    async def close(self) -> None:
        """Nothing to close."""


class Stubborn(Sore):
    """A provider that goes on talking, whoever closes it."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """Words without an end."""
        yield Delta("Hello")
        for _ in range(100):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield Delta(" again")
        raise asyncio.CancelledError


@pytest.fixture
def stall_s() -> float:
    """How long a provider may say nothing: for longer than any test, but where a test says otherwise."""
    return 60.0


@pytest.fixture
async def producer(redis_url: str, stall_s: float) -> AsyncIterator[Producer]:
    """This process as a producer."""
    limits = Limits(LEASE_S, 60, stall_s, MOST_BYTES, 1000)
    async with AsyncExitStack() as owned:
        appends, commands, channels = (
            wires(redis_url, user="generate"),
            wires(redis_url, user="generate"),
            Channels(connector(redis_url, user="generate"), 5),
        )
        log = Log(appends, commands, new_instance(), Lease(LEASE_S, 60))
        quotas = Quotas(commands, Allowance(), Allowance(), LEASE_S)
        running = Producer(log, {"sore": Sore(), "stubborn": Stubborn()}, channels, limits, 9, quotas)
        for owner in (appends, commands, channels, running):
            owned.push_async_callback(owner.close)
        yield running


@pytest.mark.parametrize("stall_s", [0.5])
@pytest.mark.parametrize(
    ("prompt", "status", "why", "text"),
    [
        ("done", "completed", "stop", "Hello"),
        ("much", "completed", "length_cap", "Hello, mu"),
        ("raise", "failed", "provider_error", "Hello"),
        ("silence", "failed", "provider_error", "Hello"),
    ],
)
async def test_an_answer_ends_as_it_ended_though_its_provider_raises_on_close(
    producer: Producer, redis_client: Any, session: str, stall_s: float, prompt: str, status: str, why: str, text: str
) -> None:
    await starting.start(producer, StartBody(prompt=prompt, provider="sore"), session, "", 9, "")
    await holds(redis_client, session, [], text, status=status)
    end = (await redis_client.xrevrange(keys.log(session), count=1))[0][1]
    assert end.get("code", end.get("finishReason")) == why


@pytest.mark.parametrize("provider", ["sore", "stubborn"])
async def test_a_stopped_answer_is_stopped_though_its_provider_does_not_let_go(
    producer: Producer, redis_client: Any, session: str, provider: str
) -> None:
    await starting.start(producer, StartBody(prompt="silence", provider=provider), session, "", 9, "")

    async def has_words() -> bool:
        return bool(await redis_client.xlen(keys.log(session)) == 2)

    await until(has_words, SOON_S)
    await producer.log.stop(session, 1, "")
    await holds(redis_client, session, [], "Hello", status="stopped")


async def test_what_redis_has_begun_though_the_index_had_no_room_is_entered_at_once(
    producer: Producer, redis_client: Any, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter, refusals = producer.log.enter_running, [ResponseError("command not allowed when used memory > 'maxmemory'.")]

    async def refused_once(name: str) -> float:
        if refusals:
            raise refusals.pop()
        return await enter(name)

    monkeypatch.setattr(producer.log, "enter_running", refused_once)
    await starting.start(producer, StartBody(prompt="silence", provider="sore"), session, "", 200, "")

    async def is_entered() -> bool:
        return await redis_client.zscore(keys.RUNNING, session) is not None

    await until(is_entered, 0.9 * BEAT_S)


async def test_a_writer_that_has_lost_its_session_enters_it_no_more(
    producer: Producer, redis_client: Any, session: str
) -> None:
    await starting.start(producer, StartBody(prompt="silence", provider="sore"), session, "", 200, "")
    running = producer.running(session, 1)
    assert running
    await producer.log.delete(session, "")
    assert await asyncio.wait_for(running.over, LEASE_S) == "fenced"
    await redis_client.zrem(keys.RUNNING, session)

    async def is_entered() -> bool:
        return await redis_client.zscore(keys.RUNNING, session) is not None

    with pytest.raises(TimeoutError):
        await until(is_entered, 1.5 * BEAT_S)
