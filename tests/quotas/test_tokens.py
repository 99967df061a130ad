"""Tokens of an owner's day: by the vendor's bill, or by what was asked and written, whichever process it was."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import nanoid
import pytest

from services.generate_stream import starting
from services.generate_stream.bodies import StartBody
from services.generate_stream.generation import Generation, Limits
from services.generate_stream.log import Lease, Log
from services.generate_stream.producer import Producer
from services.generate_stream.providers import ChatRequest, Delta, Done, Part, ProviderError
from services.generate_stream.quotas import Quotas
from services.generate_stream.takeover import Takeover
from shared import keys
from shared.channels import Channels
from shared.http import ApiError
from shared.instance import new_instance
from shared.quotas import Allowance
from tests.connections import connector, wires
from tests.processes import until
from tests.quotas.stock import Stock, now_ms

pytestmark = pytest.mark.anyio

LEASE_S = 3.0
SOON_S = 10.0
DAILY = 100
WORDS = "Twelve bytes"
BILL = {"prompt_tokens": 30, "completion_tokens": 12}


class Billing:
    """A provider that says twelve bytes, then what its question asks for."""

    name = "billing"
    models: tuple[str, ...] = ("billing",)
    formats: tuple[str, ...] = ()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """`done` with a bill, `half` with one side of it, `fail`, or silence."""
        yield Delta(WORDS)
        asked = request.messages[-1].content
        if asked.startswith("fail"):
            raise ProviderError("provider_error", "No more.", retryable=False)
        if asked.startswith("done"):
            yield Done("stop", BILL)
        if asked.startswith("half"):
            yield Done("stop", {"completion_tokens": 12})
        await asyncio.Event().wait()

    async def warm(self) -> None:
        """Nothing is put off."""

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
async def both(url: str, anyio_backend: str) -> AsyncIterator[list[Producer]]:
    """Two producers, each with its own connections, that take over what the other lets go of."""
    limits = Limits(LEASE_S, 60, 60, 10_000, 10_000)
    async with AsyncExitStack() as owned:
        made = []
        for _ in range(2):
            appends, commands, channels = (
                *(wires(url, user="generate") for _ in range(2)),
                Channels(connector(url, user="generate"), 5),
            )
            quotas = Quotas(commands, Allowance(running=3, tokens=DAILY), Allowance(), LEASE_S)
            log = Log(appends, commands, new_instance(), Lease(LEASE_S, 60))
            producer = Producer(log, {"billing": Billing()}, channels, limits, 9, quotas)
            takeover = Takeover(producer, channels, LEASE_S, 0.2, "restart")
            for owner in (appends, commands, channels, producer, takeover):
                owned.push_async_callback(owner.close)
            made.append(producer)
        yield made


async def begun(producer: Producer, owner: str, prompt: str) -> Generation:
    session = str(nanoid.generate())
    number = await starting.start(producer, StartBody(prompt=prompt), session, "", 200, owner=owner)
    generation = producer.running(session, number)
    assert generation
    return generation


async def counted(stock: Stock, tokens: int) -> None:
    """Wait until so many tokens have been counted, and not one more."""

    async def so_many() -> bool:
        return await stock.tokens() >= tokens

    await until(so_many, SOON_S)
    await stock.are("running", 0)
    assert await stock.tokens() == tokens


@pytest.mark.parametrize(
    ("prompt", "tokens"), [("done", 42), ("half of it", 3 + 12), ("fail, please!", 4 + 3), ("fail, wörd!", 3 + 3)]
)
async def test_an_answer_counts_by_its_bill_and_where_that_is_silent_by_its_bytes(
    both: list[Producer], somebody: Stock, session: str, prompt: str, tokens: int
) -> None:
    generation = await begun(both[0], session, prompt)
    await generation.over
    await counted(somebody, tokens)


@pytest.mark.parametrize("how", ["stop", "delete"])
async def test_who_ends_an_answer_early_pays_for_what_was_said(
    both: list[Producer], somebody: Stock, client: Any, session: str, how: str
) -> None:
    generation = await begun(both[0], session, "forty bytes of a question to be answered")
    log = keys.log(generation.attempt.session)

    async def said() -> bool:
        return int(await client.xlen(log)) > 1

    await until(said, SOON_S)
    if how == "stop":
        await both[1].log.stop(generation.attempt.session, None, "")
    else:
        await both[1].log.delete(generation.attempt.session, "")
    await generation.over
    await counted(somebody, 10 + 3)


async def test_what_is_let_go_of_counts_once_it_has_ended_elsewhere(
    both: list[Producer], somebody: Stock, client: Any, session: str
) -> None:
    one, other = both
    generation = await begun(one, session, "silence.")
    name = generation.attempt.session
    await client.hset(keys.meta(name), "owner", session)
    await one.drain(0)
    assert await generation.over == "released"
    assert await somebody.tokens() == 0

    async def taken() -> Generation | None:
        return other.running(name, 1)

    second = await until(taken, SOON_S)
    await somebody.are("running", 1)

    async def said() -> bool:
        return (await client.xrange(keys.log(name)))[-1][1]["type"] == "chunk"  # type: ignore[no-any-return]

    await until(said, SOON_S)
    await other.log.stop(name, None, "")
    assert await second.over == "stopped"
    await counted(somebody, 2 + 3)


async def test_at_the_days_end_there_is_room_again_and_until_then_no_process_takes_more(
    both: list[Producer], somebody: Stock, client: Any, session: str
) -> None:
    for number in range(3):
        generation = await begun(both[number % 2], session, "done")
        await generation.over
        await counted(somebody, 42 * (number + 1))
    for producer in both:
        with pytest.raises(ApiError) as raised:
            await begun(producer, session, "done")
        assert (raised.value.status, raised.value.code) == (429, "too_many_tokens")
        left_s = 86_400 - (await now_ms(client) / 1000) % 86_400
        assert 0 <= int(raised.value.headers["Retry-After"]) - left_s < SOON_S
    assert await somebody.scores("running") == {}
    await client.delete(somebody.key("tokens"))
    await (await begun(both[0], session, "done")).over


async def test_nobody_has_no_quota_of_an_owner(both: list[Producer], client: Any, session: str) -> None:
    before = set(await client.keys("llm:quota:*"))
    await (await begun(both[0], "", "done")).over
    assert set(await client.keys("llm:quota:*")) == before
