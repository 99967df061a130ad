"""POST /api/delete-stream: what runs is stopped, the log is gone, and a later life of the session is a new one."""

from typing import Any

import pytest

from shared import keys
from shared.position import parse
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import until

pytestmark = pytest.mark.anyio

CLOSED_WITHIN_S = 1.5
"""Less than a beat, by which a writer finds what it was not told: 2 s after its last append."""


async def test_a_session_can_be_deleted_also_where_there_is_none(redis_client: Any, caller: Caller) -> None:
    for _ in range(2):
        response = await caller.delete()
        assert (response.status_code, response.content) == (204, b"")
    await caller.start(prompt="Hello?")
    await caller.ended()
    for _ in range(2):
        response = await caller.delete()
        assert (response.status_code, response.content) == (204, b"")
    assert not await redis_client.exists(keys.log(caller.session))
    assert told(await caller.stop()) == (404, "session_not_found")


@pytest.mark.parametrize("pieces", [0, 2])
async def test_deleting_closes_the_vendors_response_and_its_writer_writes_no_more(
    redis_client: Any, upstream: Upstream, caller: Caller, elsewhere: Caller, session: str, pieces: int
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start(prompt=session)
    await gate.reached_within(5)
    gate.let_out(pieces)
    await caller.has_text("Hello, " if pieces else "")
    assert (await elsewhere.delete()).status_code == 204
    await gate.left_within(CLOSED_WITHIN_S)
    assert not await redis_client.exists(keys.log(session))
    meta = await redis_client.hgetall(keys.meta(session))
    assert meta.keys() == {"status", "attemptMs"}
    assert meta["status"] == "deleted"


async def test_the_mark_of_a_deleted_session_goes_as_the_session_would_have(redis_client: Any, caller: Caller) -> None:
    await caller.start(prompt="Hello?")
    await caller.ended()
    await caller.delete()
    assert 0 < await redis_client.pttl(keys.meta(caller.session)) <= 86_400_000


async def test_a_later_life_has_later_ids_and_knows_nothing_of_the_earlier(
    upstream: Upstream, caller: Caller, session: str
) -> None:
    await caller.start("k", prompt="Hello?")
    await caller.ended()
    before = await caller.entries()
    await caller.delete()
    assert await caller.start("k", prompt=session) == 1
    await caller.ended()
    after = await caller.entries()
    assert parse(after[0][0]) > parse(before[-1][0])
    heard = [request.body for request in upstream.requests if request.prompt == session]
    assert [body["messages"] for body in heard] == [[{"role": "user", "content": session}]]


async def test_a_session_can_be_begun_anew_in_the_moment_of_its_deletion(
    redis_client: Any, upstream: Upstream, caller: Caller, session: str
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start(prompt=session)
    await gate.reached_within(5)
    gate.let_out(1)
    await caller.has_text("Hel")
    await caller.delete()
    assert await caller.start(prompt="And now?") == 1
    await gate.left_within(CLOSED_WITHIN_S)
    end = await caller.ended()
    assert (end["status"], await caller.text()) == ("completed", "Hello, wörld 🌊!")
    assert [started["prompt"] for started in await caller.started()] == ["And now?"]

    async def left() -> bool:
        return await redis_client.zscore(keys.RUNNING, session) is None

    await until(left, 5)
