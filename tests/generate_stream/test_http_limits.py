"""So many generations of a session, so many at a time, so much of one answer, and no more."""

import asyncio
import hashlib

import pytest

from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate

pytestmark = pytest.mark.anyio


async def test_a_full_session_takes_no_more(tight: Caller) -> None:
    for number in (1, 2):
        assert await tight.start(prompt="Hello?") == number
        await tight.ended(number)
    assert told(await tight.ask(prompt="Hello?")) == (409, "session_full")
    assert len(await tight.started()) == 2


async def test_a_process_takes_so_many_at_a_time(upstream: Upstream, tight: Caller, session: str) -> None:
    upstream.prompts[session] = Script(gate=Gate())
    said = await asyncio.gather(*(tight.post("/api/generate-stream", {"prompt": session}) for _ in range(6)))
    assert sorted(response.status_code for response in said) == [202] * 5 + [503]
    refused = next(response for response in said if response.status_code == 503)
    assert told(refused) == (503, "too_many_running")
    assert refused.headers["retry-after"] == "1"
    for response in said:
        if response.status_code == 202:
            await tight.post("/api/stop-stream", {"sessionId": response.json()["sessionId"]})


async def test_an_answer_over_its_limit_is_cut_between_characters(
    upstream: Upstream, tight: Caller, session: str
) -> None:
    upstream.prompts[session] = Script(text=("a", *("🌊",) * 40))
    await tight.start(prompt=session)
    end = await tight.ended()
    text = "a" + "🌊" * 15
    assert (end["status"], end["finishReason"], await tight.text()) == ("completed", "length_cap", text)
    assert end["digest"] == hashlib.sha256(text.encode()).hexdigest()
