"""POST /api/stop-stream: from anywhere, at any moment; what was said is kept, and nobody pays for the rest."""

import asyncio
import hashlib

import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import Services
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

CLOSED_WITHIN_S = 1.5
"""Less than a beat, by which a writer finds a stop of which it was not told: 2 s after its last append."""


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("pieces", [0, 2])
async def test_a_stop_closes_the_vendors_response_at_once_and_keeps_what_was_said(
    upstream: Upstream, caller: Caller, session: str, provider: str, pieces: int
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(text=("Hel", "lo, ", "world"), gate=gate)
    await caller.start(prompt=session, provider=provider)
    await gate.reached_within(5)
    gate.let_out(pieces)
    text = "Hello, " if pieces else ""
    await caller.has_text(text)
    response = await caller.stop()
    await gate.left_within(CLOSED_WITHIN_S)
    assert (response.status_code, response.json()) == (202, {"stopped": True, "generation": 1})
    end = await caller.ended()
    assert (end["status"], end["finishReason"], await caller.text()) == ("stopped", "stopped", text)
    assert end["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert end["chunks"] == str(sum(fields["type"] == "chunk" for _, fields in await caller.entries()))
    assert ("ttftMs" in end) == bool(text)


async def test_a_stop_before_the_vendor_answers_at_all_ends_the_generation(
    upstream: Upstream, caller: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(stall_after=-1)
    await caller.start(prompt=session)
    assert (await caller.stop()).status_code == 202
    async with asyncio.timeout(CLOSED_WITHIN_S):
        assert (await caller.ended())["status"] == "stopped"


async def test_a_stop_reaches_the_writer_from_another_replica(
    upstream: Upstream, caller: Caller, elsewhere: Caller, session: str
) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start(prompt=session)
    await gate.reached_within(5)
    assert (await elsewhere.stop()).status_code == 202
    await gate.left_within(CLOSED_WITHIN_S)
    assert (await caller.ended())["status"] == "stopped"


async def test_every_viewer_sees_the_stop(services: Services, upstream: Upstream, caller: Caller, session: str) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start(prompt=session)
    viewers = [Viewer(services.consume.url, session) for _ in range(3)]
    async with asyncio.TaskGroup() as watching:
        for viewer in viewers:
            watching.create_task(viewer.connect())
        await gate.reached_within(5)
        gate.let_out(1)
        await caller.has_text("Hel")
        await caller.stop()
    assert [(viewer.text, viewer.frames[-1].event["status"]) for viewer in viewers] == [("Hel", "stopped")] * 3


async def test_stopping_again_changes_nothing(
    upstream: Upstream, caller: Caller, elsewhere: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(gate=Gate())
    await caller.start(prompt=session)
    said = await asyncio.gather(*(each.stop() for each in (caller, elsewhere) * 4))
    assert 202 in {response.status_code for response in said} <= {200, 202}
    await caller.ended()
    after_the_end = await caller.stop()
    assert (after_the_end.status_code, after_the_end.json()) == (200, {"stopped": False})
    assert (await caller.ended())["status"] == "stopped"


async def test_a_stop_after_the_end_stops_nothing(caller: Caller) -> None:
    await caller.start(prompt="Hello?")
    await caller.ended()
    response = await caller.stop()
    assert (response.status_code, response.json()) == (200, {"stopped": False})
    assert (await caller.ended())["status"] == "completed"


async def test_a_stop_of_another_generation_stops_nothing(upstream: Upstream, caller: Caller, session: str) -> None:
    gate = Gate()
    upstream.prompts[session] = Script(gate=gate)
    await caller.start(prompt="Hello?")
    await caller.ended(1)
    await caller.start(prompt=session)
    for other in (1, 3):
        response = await caller.stop(generation=other)
        assert (response.status_code, response.json()) == (200, {"stopped": False})
    gate.let_out(100)
    assert (await caller.ended(2))["status"] == "completed"


async def test_a_stop_of_this_generation_stops_it_and_the_next_one_runs(
    upstream: Upstream, caller: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(gate=Gate())
    await caller.start(prompt=session)
    response = await caller.stop(generation=1)
    assert (response.status_code, response.json()) == (202, {"stopped": True, "generation": 1})
    await caller.ended(1)
    assert await caller.start(prompt="Hello?") == 2
    assert (await caller.ended(2))["status"] == "completed"


async def test_an_unknown_session_can_not_be_stopped(caller: Caller) -> None:
    assert told(await caller.stop()) == (404, "session_not_found")
