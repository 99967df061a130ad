"""The wire against a real Redis, through a proxy that breaks the way: everyone gets their own reply or RedisAway."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.exceptions import ResponseError

from shared.wire import RedisAway, Wire, pack
from tests.connections import connector
from tests.processes import until
from tests.proxy import Proxy

pytestmark = pytest.mark.anyio

TIMEOUT_S = 1.0
LATE_S = 2 * TIMEOUT_S + 3
"""A reply may be asked for just after a deadline began, so it may take two; the rest is a slow machine's."""

AMPLE_S = 8.0
"""Where nobody is silent, and hundreds of connections are made in one moment."""

ASKED: list[tuple[Any, ...]] = [("ECHO", f"\r\n+{n}" * n) for n in range(6)]
ASKED += [("PING",), ("COMMAND", "GETKEYS", "MSET", "a", 1, "b", 2), ("GET", "no-such-key"), ("EXISTS", "no-such-key")]
ANSWERS = [f"\r\n+{n}".encode() * n for n in range(6)] + [b"PONG", [b"a", b"b"], None, 0]


@pytest.fixture
async def wire(proxy: Proxy) -> AsyncIterator[Wire]:
    """A wire that has not connected yet."""
    made = Wire(connector(proxy.url, "rejoin-test"), TIMEOUT_S)
    yield made
    await made.close()


async def ask(wire: Wire) -> list[Any]:
    """Ask all in one moment; what each got, a reply or an exception."""
    return await asyncio.gather(*(wire.call(*command) for command in ASKED), return_exceptions=True)


def own_or_none(got: Any, answer: Any) -> bool:
    """Whether someone got their own reply, or none."""
    return isinstance(got, RedisAway) or (type(got) is type(answer) and got == answer)


@pytest.mark.skipif(sys.platform != "linux", reason="the segments are counted by Linux")
async def test_the_commands_of_one_moment_leave_in_one_write(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    before = proxy.segments()
    replies = await asyncio.gather(*(wire.call("ECHO", str(number)) for number in range(200)))
    assert replies == [str(number).encode() for number in range(200)]
    assert proxy.segments() - before == 1


async def test_replies_come_to_those_who_asked_whoever_else_is_cancelled(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    proxy.hold("replies")
    callers = [asyncio.create_task(wire.call("ECHO", str(number))) for number in range(100)]
    await until(lambda: requests_of(proxy, len(pack("ECHO", "99")) * 90), 5)
    later = [asyncio.create_task(wire.call("ECHO", str(number))) for number in range(100, 130)]
    for gone in (*callers[::3], *later[1::4]):
        gone.cancel()
    await proxy.heal()
    replies = await asyncio.gather(*callers, *later, return_exceptions=True)
    stayed = {number: reply for number, reply in enumerate(replies) if not isinstance(reply, asyncio.CancelledError)}
    assert len(stayed) == 130 - 34 - 8
    assert stayed == {number: str(number).encode() for number in stayed}
    assert await wire.call("ECHO", "after") == b"after"
    assert wire.epoch == 0


async def test_a_refusal_reaches_only_its_caller(wire: Wire) -> None:
    commands = [("ECHO", "a"), ("GET",), ("ECHO", "b"), ("NO-SUCH-COMMAND", "x"), ("ECHO", "c")]
    replies = await asyncio.gather(*(wire.call(*command) for command in commands), return_exceptions=True)
    assert replies[::2] == [b"a", b"b", b"c"]
    assert [type(reply) for reply in replies[1::2]] == [ResponseError, ResponseError]
    assert wire.epoch == 0


async def test_a_broken_connection_fails_all_that_is_outstanding_and_the_next_call_works(
    wire: Wire, proxy: Proxy
) -> None:
    await wire.call("PING")
    proxy.hold("replies")
    asked = proxy.bytes["requests"]
    outstanding = asyncio.create_task(ask(wire))
    await until(lambda: requests_of(proxy, asked + 1), 5)
    proxy.cut()
    replies = await outstanding
    assert [type(reply) for reply in replies] == [RedisAway] * len(ASKED)
    await proxy.heal()
    assert await ask(wire) == ANSWERS
    assert wire.epoch == 1


async def test_a_connection_that_breaks_while_nobody_asks_is_noticed_before_the_next_call(
    wire: Wire, proxy: Proxy
) -> None:
    await wire.call("PING")
    broken = asyncio.create_task(wire.broken())
    proxy.cut()
    await asyncio.wait_for(broken, 5)
    await proxy.heal()
    assert await wire.call("ECHO", "a") == b"a"
    assert wire.epoch == 1


async def test_a_cut_at_any_byte_of_the_replies_gives_nobody_another_ones(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    begin = proxy.bytes["replies"]
    assert await ask(wire) == ANSWERS
    size = proxy.bytes["replies"] - begin
    assert size > 100
    for cut_after in range(size):
        proxy.cut_after_bytes(cut_after, "replies")
        replies = await ask(wire)
        assert all(map(own_or_none, replies, ANSWERS)), (cut_after, replies)
        assert isinstance(replies[-1], RedisAway)
        assert await ask(wire) == ANSWERS


async def test_a_cut_at_any_byte_of_the_handshake_is_redis_away(redis_url: str) -> None:
    async with Proxy(redis_url) as proxy:
        wire = Wire(connector(proxy.url, "rejoin-test"), AMPLE_S)
        assert await wire.call("ECHO", "a") == b"a"
        await wire.close()
        size = proxy.bytes["replies"]
    await asyncio.gather(*(cut_while_it_connects(redis_url, cut_after) for cut_after in range(size)))


async def cut_while_it_connects(redis_url: str, cut_after: int) -> None:
    """The first try is cut, the second is not."""
    async with Proxy(redis_url) as proxy:
        wire = Wire(connector(proxy.url, "rejoin-test"), AMPLE_S)
        proxy.cut_after_bytes(cut_after, "replies")
        with pytest.raises(RedisAway):
            await wire.call("ECHO", "a")
        assert await wire.call("ECHO", "b") == b"b"
        assert proxy.connections == 2
        await wire.close()


async def test_a_silent_redis_is_away_within_the_timeout(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    proxy.hold("replies")
    begun = time.monotonic()
    replies = await ask(wire)
    assert time.monotonic() - begun < LATE_S
    assert [type(reply) for reply in replies] == [RedisAway] * len(ASKED)
    await proxy.heal()
    assert await ask(wire) == ANSWERS


async def test_a_redis_that_is_silent_from_the_start_is_away_within_the_timeout(wire: Wire, proxy: Proxy) -> None:
    proxy.hold("replies")
    begun = time.monotonic()
    with pytest.raises(RedisAway):
        await wire.call("PING")
    assert time.monotonic() - begun < LATE_S
    await proxy.heal()
    assert await wire.call("PING") == b"PONG"


async def test_a_redis_that_takes_nothing_is_away_within_the_timeout(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    proxy.hold("requests")
    begun = time.monotonic()
    with pytest.raises(RedisAway):
        # More than all buffers on the way hold.
        await wire.call("ECHO", b"x" * 32 * 1024 * 1024)
    assert time.monotonic() - begun < LATE_S
    await proxy.heal()
    assert await wire.call("PING") == b"PONG"


async def test_replies_that_keep_coming_may_take_longer_than_the_timeout(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    begun = time.monotonic()
    # Each runs for 0.5 ms inside Redis, so together they take twice the timeout; and none keeps the next one waiting.
    spin = "local t=redis.call('TIME') local e=t[1]*1e6+t[2]+500 repeat t=redis.call('TIME') until t[1]*1e6+t[2]>e"
    count = int(2 * TIMEOUT_S * 2000)
    replies = await asyncio.gather(*(wire.call("EVAL", f"{spin} return {number}", 0) for number in range(count)))
    assert replies == list(range(count))
    assert time.monotonic() - begun > TIMEOUT_S
    assert wire.epoch == 0


async def test_refused_is_away_and_the_next_call_works(wire: Wire, proxy: Proxy) -> None:
    await proxy.refuse()
    replies = await ask(wire)
    assert [type(reply) for reply in replies] == [RedisAway] * len(ASKED)
    assert wire.epoch == 0
    await proxy.heal()
    assert await ask(wire) == ANSWERS


async def test_closing_fails_what_is_outstanding(wire: Wire, proxy: Proxy) -> None:
    await wire.call("PING")
    proxy.hold("replies")
    asked = proxy.bytes["requests"]
    outstanding = asyncio.create_task(ask(wire))
    await until(lambda: requests_of(proxy, asked + 1), 5)
    await wire.close()
    assert [type(reply) for reply in await outstanding] == [RedisAway] * len(ASKED)


async def requests_of(proxy: Proxy, count: int) -> bool:
    return proxy.bytes["requests"] >= count
