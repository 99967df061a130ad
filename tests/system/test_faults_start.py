"""A start, at the worst of moments: one generation, whoever asks, wherever, and however often."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.leash import Leash
from tests.consume_stream.raw_viewer import reset
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import Service, until
from tests.system.invariant import holds
from tests.system.pair import Pair
from tests.system.story import PIECES, SENT, asked
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def pair(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """Two producers. Nobody is lost here, and a busy machine shall not make it seem so."""
    async with Pair(own_redis, leash, upstream.url, REJOIN_LEASE_S="6") as running:
        yield running


@pytest.fixture
def caller(pair: Pair, own_client: Any, session: str) -> Caller:
    """A client of the one."""
    return Caller(pair.generate, own_client, session)


@pytest.fixture
def elsewhere(pair: Pair, own_client: Any, session: str) -> Caller:
    """The same client, sent to the other."""
    return Caller(pair.other, own_client, session)


@pytest.fixture
def gate(upstream: Upstream, session: str) -> Gate:
    """What the vendor's words wait at."""
    upstream.prompts[session] = Script(text=PIECES, gate=(gate := Gate()))
    return gate


async def test_of_two_starts_in_one_moment_at_two_replicas_one_is_taken_and_the_other_told_which(
    pair: Pair, caller: Caller, elsewhere: Caller, gate: Gate, upstream: Upstream
) -> None:
    body = {"prompt": caller.session, "provider": "openai"}
    replies = await asyncio.gather(*(each.ask(**body) for each in (caller, elsewhere)))
    assert sorted(reply.status_code for reply in replies) == [202, 409]
    assert {reply.json().get("generation", 1) for reply in replies} == {1}
    (refused,) = [reply.json()["error"] for reply in replies if reply.status_code == 409]
    assert refused["code"] == "generation_running"
    gate.let_out(len(PIECES) + 1)
    await read_once(pair, caller, upstream)


async def test_a_start_whose_reply_was_lost_is_sent_again_to_another_replica_and_is_the_same(
    pair: Pair, caller: Caller, elsewhere: Caller, gate: Gate, upstream: Upstream
) -> None:
    body = {"prompt": caller.session, "provider": "openai"}
    unheard = sent(pair.generate, {"sessionId": caller.session, **body}, "a key")

    async def is_begun() -> bool:
        return bool(await caller.started())

    await until(is_begun, 10)
    reset(unheard)
    assert await elsewhere.start("a key", **body) == 1
    gate.let_out(len(PIECES) + 1)
    await caller.ended()
    assert await elsewhere.start("a key", **body) == 1
    await read_once(pair, caller, upstream)


def sent(service: Service, body: dict[str, Any], key: str) -> socket.socket:
    """Ask for an answer on a connection on which nobody reads."""
    address, content = urlsplit(service.url), json.dumps(body)
    head = f"POST /api/generate-stream HTTP/1.1\r\nHost: rejoin\r\nIdempotency-Key: {key}"
    connection = socket.create_connection((address.hostname, address.port))
    connection.sendall(
        f"{head}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}".encode()
    )
    return connection


async def read_once(pair: Pair, caller: Caller, upstream: Upstream) -> None:
    """The whole answer, which the vendor was asked for once."""
    viewer = Viewer(pair.consume.url, caller.session)
    await viewer.connect()
    await holds(caller.redis, caller.session, [viewer], SENT)
    assert asked(upstream, caller.session) == 1
