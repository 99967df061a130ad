"""What holds for every vendor's SDK: words pass on at once, silence ends, who stops reading closes the socket."""

import asyncio
import time
from contextlib import aclosing

import anyio
import pytest

from tests.fakes.heard import hear, request
from tests.fakes.script import Script
from tests.generate_stream.asked import PROVIDERS, asked

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("vendor", PROVIDERS)]


async def test_a_reset_is_a_cut(vendor: str) -> None:
    async with asked(vendor, Script(cut_at=500, reset=True)) as (provider, _):
        heard = await hear(provider)
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == ("provider_cut", True)


async def test_a_refused_start_is_tried_again_and_then_answered(vendor: str) -> None:
    async with asked(vendor, Script(status=529, times=2)) as (provider, fake):
        heard = await hear(provider)
    assert (heard.text, len(fake.requests)) == ("".join(Script().text), 3)


async def test_silence_between_words_is_a_timeout_and_closes_the_connection(vendor: str) -> None:
    async with asked(vendor, Script(stall_after=2), stall_timeout_s=0.1) as (provider, fake):
        heard = await hear(provider)
        await fake.closed_within(0.25)
    assert heard.text == "Hello, "
    assert heard.error
    assert (heard.error.code, heard.error.retryable, len(fake.requests)) == ("provider_timeout", True, 1)


async def test_silence_before_the_first_word_is_a_timeout(vendor: str) -> None:
    async with asked(vendor, Script(stall_after=-1), stall_timeout_s=0.1) as (provider, _):
        heard = await hear(provider)
    assert heard.error
    assert heard.error.code == "provider_timeout"


async def test_each_word_is_passed_on_before_the_next_one_is_sent(vendor: str) -> None:
    gate = asyncio.Semaphore(0)
    async with (
        asked(vendor, Script(gate=gate)) as (provider, _),
        asyncio.timeout(5),
        aclosing(provider.stream(request())) as parts,
    ):
        for word in Script().text:
            gate.release()
            assert await anext(parts) == (word,)


async def test_closing_the_generator_closes_the_socket_at_once(vendor: str) -> None:
    async with asked(vendor, Script(stall_after=1)) as (provider, fake):
        parts = provider.stream(request())
        assert await anext(parts) == ("Hel",)
        assert fake.open_connections == 1
        await parts.aclose()
        await fake.closed_within(0.25)


async def test_cancelling_a_scope_in_mid_answer_closes_the_socket_at_once(vendor: str) -> None:
    async with asked(vendor, Script(stall_after=1)) as (provider, fake):
        parts = provider.stream(request())
        with anyio.CancelScope() as scope:
            await anext(parts)
            scope.cancel()
            await anext(parts)
        assert scope.cancelled_caught
        await fake.closed_within(0.25)


async def test_a_reader_that_is_cancelled_while_it_holds_a_word_closes_the_socket_at_once(vendor: str) -> None:
    async with asked(vendor, Script(stall_after=1)) as (provider, fake):
        with anyio.CancelScope() as scope:
            async with aclosing(provider.stream(request())) as parts:
                await anext(parts)
                scope.cancel()
        await fake.closed_within(0.25)


async def test_cancelling_the_reader_before_the_first_word_closes_the_socket_at_once(vendor: str) -> None:
    async with asked(vendor, Script(stall_after=-1)) as (provider, fake):
        reader = asyncio.create_task(hear(provider))
        await fake.asked_within(5)
        reader.cancel()
        await fake.closed_within(0.25)
        with pytest.raises(asyncio.CancelledError):
            await reader


def test_a_prompt_half_a_minute_later_finds_the_connection_kept(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def two_prompts() -> int:
        async with asked(vendor, Script()) as (provider, fake):
            await hear(provider)
            now = time.monotonic
            monkeypatch.setattr(time, "monotonic", lambda: now() + 30)
            await hear(provider)
            assert len(fake.requests) == 2
            return len(fake.connections)

    # In a loop of its own, whose clock may jump.
    assert asyncio.run(two_prompts()) == 1
