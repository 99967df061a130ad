"""Both clients against real services, of which one thing after the other breaks: each word once, and then the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import get_args

import pytest

from deploy.leash import Leash
from rejoin import AnyEvent, Completed, Reset, Started, Stopped, Unauthorized
from tests.client.front import Where
from tests.client.reader import Kind, Reader
from tests.fakes.issuer import SECRET, SETTINGS, by_secret
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.gate import Gate
from tests.processes import Services
from tests.proxy import Proxy
from tests.system.pair import Pair

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

WORDS = tuple(f"wörd {number} 🌊\u2028 " for number in range(24))
SENT = "".join(WORDS)
ALL = 10 * len(WORDS)
"""Enough, even if an answer is begun anew, as it may be on a machine that has no time."""


@pytest.fixture(params=get_args(Kind))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Which client."""
    kind: Kind = request.param
    return kind


@pytest.fixture(scope="module")
async def wire(redis_url: str, anyio_backend: str) -> AsyncIterator[Proxy]:
    """What consume-stream has for its Redis."""
    async with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
async def services_to_break(redis_url: str, upstream: Upstream, leash: Leash, wire: Proxy) -> AsyncIterator[Pair]:
    """They run for all tests of this file."""
    # Longer than a busy machine stands still: it is killed where an answer shall be taken over.
    pair = Pair(redis_url, leash, upstream.url, REJOIN_LEASE_S="3")
    pair.consume._environ["REDIS_URL"] = wire.url
    async with pair:
        yield pair


@pytest.fixture
async def pair(services_to_break: Pair, wire: Proxy) -> AsyncIterator[Pair]:
    """Services that may be broken, and are whole for the next test however this one ends."""
    yield services_to_break
    await wire.heal()
    await services_to_break.mend()


@pytest.fixture
def where(pair: Pair) -> tuple[Where, Where]:
    """The way to them, now."""
    return lambda: pair.generate.url, lambda: pair.consume.url


@pytest.fixture
def gate(upstream: Upstream, session: str) -> Gate:
    """Lets the answer to the session's name out, word by word."""
    upstream.prompts[session] = Script(text=WORDS, gate=(gate := Gate()))
    return gate


async def test_a_stream_that_is_cut_after_every_word_is_read_whole(
    pair: Pair, gate: Gate, session: str, kind: Kind
) -> None:
    async with Proxy(pair.consume.url.replace("http:", "redis:")) as proxy:
        reader = Reader(kind, lambda: pair.generate.url, lambda: f"http://127.0.0.1:{proxy.port}")
        await reader.start(session, session=session, provider="openai")
        async with reader.reading(session):
            for count in range(1, len(WORDS) + 1):
                gate.let_out()
                await reader.has("".join(WORDS[:count]))
                proxy.cut()
            gate.let_out(ALL)
        assert proxy.connections >= len(WORDS)
    reader.holds(SENT)
    assert isinstance(reader.events[-1], Completed)


async def test_consume_stream_is_redeployed_and_killed_and_redis_is_lost(
    pair: Pair, wire: Proxy, where: tuple[Where, Where], gate: Gate, session: str, kind: Kind
) -> None:
    reader = Reader(kind, *where)
    await reader.start(session, session=session, provider="openai")
    async with reader.reading(session):
        gate.let_out(5)
        await reader.has("".join(WORDS[:5]))
        assert await pair.consume.stop() == 0
        gate.let_out(5)
        await pair.consume.start()
        await reader.has("".join(WORDS[:10]))
        await pair.consume.kill()
        gate.let_out(5)
        await pair.consume.start()
        await reader.has("".join(WORDS[:15]))
        await wire.refuse()
        # Whoever comes now is told 503, and comes again.
        late = Reader(kind, *where)
        async with late.reading(session):
            gate.let_out(ALL)
            await wire.heal()
    reader.holds(SENT)
    late.holds(SENT)


async def test_an_answer_that_is_taken_over_tells_that_its_words_are_void(
    pair: Pair, where: tuple[Where, Where], upstream: Upstream, gate: Gate, session: str, kind: Kind
) -> None:
    reader = Reader(kind, *where)
    await reader.start(session, session=session, provider="openai")
    async with reader.reading(session):
        gate.let_out(5)
        await reader.has("".join(WORDS[:5]))
        upstream.prompts[session] = Script(text=("another ", "answer"))
        await pair.generate.kill()
    reader.holds("another answer")
    assert [(event.attempt, event.voids) for event in begun(reader.events)] == [(1, False), (2, True)]


async def test_a_start_whose_reply_is_lost_or_whose_server_is_away_is_one_generation(
    pair: Pair, upstream: Upstream, session: str, kind: Kind
) -> None:
    upstream.prompts[session] = Script(text=WORDS)
    async with Proxy(pair.generate.url.replace("http:", "redis:")) as proxy:
        reader = Reader(kind, lambda: f"http://127.0.0.1:{proxy.port}", lambda: pair.consume.url)
        proxy.cut_after_bytes(10, "replies")
        new, generation = await reader.start(session, provider="openai")
        assert generation == 1
        assert proxy.connections == 2
        await reader.read(new)
        await proxy.refuse()
        starting = asyncio.create_task(reader.start(f"{session}, again", session=new, provider="openai"))
        await proxy.heal()
        assert await starting == (new, 2)
    reader.holds(SENT)


async def test_a_stop_from_elsewhere_ends_it(
    pair: Pair, where: tuple[Where, Where], gate: Gate, session: str, kind: Kind
) -> None:
    reader = Reader(kind, *where)
    await reader.start(session, session=session, provider="openai")
    async with reader.reading(session):
        gate.let_out(3)
        await reader.has("".join(WORDS[:3]))
        assert (await pair.stop(session)).status_code == 202
    reader.holds("".join(WORDS[:3]))
    assert isinstance(reader.events[-1], Stopped)


async def test_a_log_that_does_not_know_the_position_is_read_from_its_beginning(
    services: Services, upstream: Upstream, session: str, kind: Kind
) -> None:
    upstream.prompts[session] = Script(text=WORDS)
    reader = Reader(kind, lambda: services.generate.url, lambda: services.consume.url)
    await reader.start(session, session=session, provider="openai")
    await reader.read(session)
    first, reader.events = reader.events, []
    await reader.read(session, after="5-5")
    assert isinstance(reader.events[0], Reset)
    assert begun(reader.events) == begun(first)
    reader.holds(SENT)


async def test_a_token_that_ends_in_the_middle_is_renewed_or_told(
    redis_url: str, upstream: Upstream, leash: Leash, gate: Gate, session: str
) -> None:
    settings = SETTINGS | {"REJOIN_JWT_SECRET": SECRET, "REJOIN_JWT_LEEWAY_S": "0"}
    async with Services(redis_url, leash, vendors=upstream.url, **settings) as guarded:
        where: tuple[Where, Where] = lambda: guarded.generate.url, lambda: guarded.consume.url
        anybody = Reader("sync", *where)
        with pytest.raises(Unauthorized, match="token"):
            await anybody.start(session)
        short = by_secret(exp=int(time.time()) + 2)
        await Reader("sync", *where, token=by_secret()).start(session, session=session, provider="openai")
        gate.let_out(3)
        one, other = (Reader(kind, *where, token=renewed_after(short)) for kind in get_args(Kind))
        async with one.reading(session), other.reading(session):
            with pytest.raises(Unauthorized, match="token_expired"):
                await Reader("sync", *where, token=short).read(session)
            gate.let_out(ALL)
        one.holds(SENT)
        other.holds(SENT)


def begun(events: Sequence[AnyEvent]) -> list[Started]:
    """Where attempts begin."""
    return [event for event in events if isinstance(event, Started)]


def renewed_after(token: str) -> Callable[[], str]:
    """Gives a token, and good ones later."""
    first = iter([token])
    return lambda: next(first, by_secret())
