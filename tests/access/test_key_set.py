"""The issuer's keys: fetched once for all who miss one, changed when it changes them, kept while it is away."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator

import pytest

from shared.access import jwks, key_set
from shared.access.key_set import AGAIN_S, FRESH_S, KeysAway, KeySet
from tests.access.broken_key_sets import BREAKAGES
from tests.fakes.issuer import Issuer, rsa_key
from tests.ports import free_port
from tests.processes import until

pytestmark = pytest.mark.anyio

LITTLE_S = 5.0
"""What a busy machine may add to any deadline."""


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> AsyncIterator[KeySet]:
    """The keys of an issuer that may break."""
    found = KeySet(issuer.url, clock)
    yield found
    await found.close()


async def test_an_issuer_whose_head_comes_in_drips_holds_up_neither_the_next_fetch_nor_the_end(clock: Clock) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            for number in itertools.count():
                writer.write(b"X-%d: drip\r\n" % number)
                await writer.drain()
                await asyncio.sleep(0.2)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    found = KeySet(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys", clock)
    for _ in range(2):
        async with asyncio.timeout(key_set._PATIENCE_S + LITTLE_S):
            with pytest.raises(KeysAway):
                await found.find("first")
        clock.now_s += AGAIN_S
    async with asyncio.timeout(LITTLE_S):
        await found.close()
    server.close()


async def test_all_who_miss_a_key_wait_for_one_fetch(issuer: Issuer, keys: KeySet) -> None:
    found = await asyncio.gather(*(keys.find(kid) for kid in ("first", "curved", "no such") for _ in range(30)))
    assert [key and (key.key_id, key.algorithm_name) for key in found[::30]] == [
        ("first", "RS256"), ("curved", "ES256"), None,
    ]  # fmt: skip
    assert issuer.asked == 1
    assert await keys.find(None) is None
    assert issuer.asked == 1


async def test_who_gives_up_waiting_takes_the_fetch_from_nobody(issuer: Issuer, keys: KeySet) -> None:
    impatient = asyncio.create_task(keys.find("first"))
    patient = asyncio.create_task(keys.find("first"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    assert issuer.asked == 1


async def test_a_new_key_is_found_and_unknown_names_ask_no_more_often_than_they_may(
    issuer: Issuer, keys: KeySet, clock: Clock
) -> None:
    assert await keys.find("first")
    issuer.keys = {"second": rsa_key()}
    clock.now_s += AGAIN_S - 1
    assert [await keys.find(kid) for kid in ("second", "x", "y")] == [None] * 3
    assert issuer.asked == 1
    clock.now_s += 1
    assert await keys.find("second")
    assert [await keys.find(kid) for kid in ("first", "x", "y")] == [None] * 3
    assert issuer.asked == 2


async def test_a_key_that_was_withdrawn_is_forgotten_though_none_is_missing(
    issuer: Issuer, keys: KeySet, clock: Clock
) -> None:
    assert await keys.find("first")
    issuer.keys = {"curved": issuer.keys["curved"]}
    clock.now_s += FRESH_S + 1
    assert await keys.find("first"), "nobody waits for it"

    async def forgotten() -> bool:
        return await keys.find("first") is None

    await until(forgotten, 5)
    assert await keys.find("curved")
    assert issuer.asked == 2


@pytest.mark.parametrize("how", BREAKAGES)
async def test_a_document_that_makes_no_sense_takes_no_key_away(
    issuer: Issuer, keys: KeySet, clock: Clock, how: str
) -> None:
    issuer.reply = BREAKAGES[how](issuer)
    with pytest.raises(KeysAway) as raised:
        await keys.find("first")
    assert raised.value.retry_after_s == AGAIN_S
    clock.now_s += 4
    with pytest.raises(KeysAway) as raised:
        await keys.find("first")
    assert (raised.value.retry_after_s, issuer.asked) == (AGAIN_S - 4, 1)

    issuer.reply = None
    clock.now_s += AGAIN_S
    assert await keys.find("first")
    issuer.reply = BREAKAGES[how](issuer)
    clock.now_s += FRESH_S + 1
    assert await keys.find("no such") is None
    assert await keys.find("first")
    assert issuer.asked == 3


async def test_an_issuer_that_never_answers_is_waited_for_no_longer_than_is_bearable(
    issuer: Issuer, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT_S", 0.2)
    issuer.stalls = True
    began = time.monotonic()
    with pytest.raises(KeysAway):
        await keys.find("first")
    assert time.monotonic() - began < 2.5


async def test_who_waits_has_less_patience_than_a_fetch_may_need(
    issuer: Issuer, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_set, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(jwks, "TIMEOUT_S", 0.5)
    issuer.stalls = True
    with pytest.raises(KeysAway):
        await asyncio.gather(keys.find("first"), keys.find("curved"))
    assert issuer.asked <= 1, "one fetch, which goes on"


async def test_nobody_at_the_address(clock: Clock) -> None:
    keys = KeySet(f"http://127.0.0.1:{free_port()}/keys", clock)
    with pytest.raises(KeysAway):
        await keys.find("first")
    await keys.close()
