"""The whole path: a prompt goes in once, through the real SDK, and every viewer reads the same answer."""

import asyncio
import hashlib
from typing import Any

import pytest

from deploy.leash import Leash
from services.generate_stream.providers import ChatRequest, Message, Reasoning
from services.generate_stream.providers.demo import Demo
from services.generate_stream.providers.demo import answer as demo_answer
from shared import keys
from shared.events import event
from tests.fakes import aimock
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.processes import Services, until
from tests.viewing import Frame, Viewer

pytestmark = pytest.mark.anyio

WORDS = tuple(f"wörd {number} 🌊\u2028 " for number in range(60))
MODELS = {"OPENAI_MODEL": "o4-mini", "ANTHROPIC_MODEL": "claude-sonnet-5-5", "GEMINI_MODEL": "o4-mini"}
THOUGHTS = tuple(f"thought {number}, " for number in range(12))


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "demo"])
async def test_viewers_before_during_and_after_read_what_the_upstream_sent(
    services: Services, upstream: Upstream, redis_client: Any, session: str, provider: str
) -> None:
    thinking = THOUGHTS if provider != "gemini" else ()
    upstream.prompts[session] = Script(text=WORDS, thinking=thinking, delay_s=0.01, split=7)
    if provider == "demo":
        demo = ChatRequest("demo", [Message("user", session)])
        thoughts = "".join([part.text async for part in Demo(0).stream(demo) if isinstance(part, Reasoning)])
        await read_by_all(services, redis_client, session, provider, demo_answer(demo), thoughts)
    else:
        await read_by_all(services, redis_client, session, provider, "".join(WORDS), "".join(thinking))


@pytest.mark.any_redis
@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
async def test_they_read_what_a_fake_of_others_sent(
    redis_url: str, leash: Leash, redis_client: Any, session: str, provider: str
) -> None:
    text, thinking = "".join(WORDS), "".join(THOUGHTS)
    response = {"content": text, "reasoning": thinking}
    fixture = {"match": {"userMessage": session}, "response": response, "chunkSize": 9, "latency": 5}
    async with aimock.running([fixture]) as url, Services(redis_url, leash, vendors=url, **MODELS) as services:
        await read_by_all(services, redis_client, session, provider, text, thinking)


async def read_by_all(
    services: Services, redis_client: Any, session: str, provider: str, sent: str, thinking: str
) -> None:
    """Three viewers, before, during and after, and one that was cut after each entry: all hold what was sent."""
    early = Viewer(services.consume.url, session, "session")
    is_end = lambda frame: frame.event.get("status") == "completed"  # noqa: E731
    async with asyncio.TaskGroup() as viewers:
        viewers.create_task(early.connect(until=is_end))
        begun = await services.start(sessionId=session, prompt=session, provider=provider)
        assert begun == {"sessionId": session, "generation": 1, "streamUrl": begun["streamUrl"]}
        await early_has_words(early)
        during = Viewer(services.consume.url, session)
        viewers.create_task(during.connect())
    after = Viewer(services.consume.url, session)
    await after.connect()

    for viewer in (early, during, after):
        assert viewer.text == sent
        assert viewer.reasoning == thinking
        end = viewer.frames[-1].event
        assert (end["status"], end["finishReason"]) == ("completed", "end_turn" if provider == "anthropic" else "stop")
        assert end["digest"] == hashlib.sha256(sent.encode()).hexdigest()
    await until(lambda: no_groups(redis_client, session), 5)

    entries = await redis_client.xrange(keys.log(session))
    ids = [entry_id.split("-") for entry_id, _ in entries]
    assert [int(seq) for _, seq in ids] == list(range(len(entries)))
    assert len({ms for ms, _ in ids}) == 1
    assert int(entries[-1][1]["chunks"]) == sum(fields["type"] == "chunk" for _, fields in entries)

    await resumed_at_every_entry(services, session, entries, after)


async def resumed_at_every_entry(services: Services, session: str, entries: list[Any], whole: Viewer) -> None:
    """A viewer that was cut after any entry and comes back has missed nothing and reads nothing twice."""
    for cut_after in range(len(entries) - 1):
        viewer = Viewer(services.consume.url, session)
        for entry_id, fields in entries[: cut_after + 1]:
            viewer.take(Frame(entry_id, event(fields), None))
        before = len(viewer.frames)
        await viewer.connect()
        assert (viewer.text, viewer.reasoning) == (whole.text, whole.reasoning)
        later = {entry_id for entry_id, _ in entries[cut_after + 1 :]}
        assert all(frame.id in later for frame in viewer.frames[before:])


async def no_groups(redis_client: Any, session: str) -> bool:
    """Whether no viewer has left its group behind."""
    return not await redis_client.xinfo_groups(keys.log(session))


async def early_has_words(viewer: Viewer) -> None:
    """Wait until the first words have arrived."""

    async def has_words() -> bool:
        return bool(viewer.text)

    await until(has_words, 10)
