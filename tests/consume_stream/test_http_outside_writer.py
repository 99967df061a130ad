"""Entries of a writer that is not ours: served as they are, replayed in few frames, seen live at once."""

import asyncio
import json
import re
from typing import Any

import pytest

from shared import keys
from tests.consume_stream.facts import DEADLINE_S, has_frames, hears
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw
from tests.processes import Service, Services
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

NUDGED_WITHIN_S = 2.5
"""Half a recheck of the common process: so many words are not all in time by that alone."""
WORDS = ("One", "two", "three", "four", "five", "six")


async def test_thousands_of_entries_are_replayed_in_a_handful_of_frames(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    thoughts = [f"thought {number}, " for number in range(200)]
    words = [f"wörd {number} 🌊 " for number in range(2000)]
    await writer.begin()
    await writer.say(*thoughts, kind="reasoning")
    last = (await writer.say(*words))[-1]
    await writer.end(chunks=2000)
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    assert (viewer.text, viewer.reasoning) == ("".join(words), "".join(thoughts))
    assert len(viewer.frames) <= 10
    assert (viewer.frames[-2].id, viewer.frames[-2].event["ms"]) == (last, 2200)
    assert [frame.event["type"] for frame in viewer.frames][:2] == ["metadata", "reasoning"]
    assert viewer.frames[-1].event["chunks"] == 2000


async def test_what_is_joined_never_grows_without_bound(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    await writer.say(*["x" * 16_384] * 40)
    await writer.end()
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    assert viewer.text == "x" * 16_384 * 40
    assert max(len(frame.event.get("content", "")) for frame in viewer.frames) == 64 * 1024


async def test_neighbours_of_another_generation_or_with_a_field_of_their_own_stay_apart(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    chunk = {"type": "chunk", "generation": 1, "ms": 1}
    await writer.add(
        chunk | {"content": "a"},
        chunk | {"content": "b"},
        chunk | {"content": "c", "extra": "1"},
        chunk | {"content": "d", "generation": 2},
        {"type": "reasoning", "generation": 2, "ms": 1, "content": "e"},
    )
    await writer.end()
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    assert [frame.event["content"] for frame in viewer.frames[1:-1]] == ["ab", "c", "d", "e"]
    assert viewer.frames[2].event["extra"] == "1"


async def test_ids_of_redis_own_making_and_unknown_types_and_fields_pass_through(
    services: Services, redis_client: Any, session: str
) -> None:
    written: list[dict[str, Any]] = [
        {"type": "metadata", "status": "started", "generation": "1", "prompt": "?", "colour": "blue"},
        {"type": "chunk", "content": "no generation, no ms"},
        {"type": "picture", "generation": "1", "url": "https://example.com/a.png", "width": "12"},
        {"no": "type at all"},
        {"type": "metadata", "status": "thinking", "generation": "one", "retryable": "perhaps", "usage": "{"},
        {"type": "chunk", "content": b"\xff\xfe bytes", "ms": "-1"},
        {"type": "metadata", "status": "completed", "generation": "1"},
    ]
    ids = [await redis_client.xadd(keys.log(session), fields) for fields in written]
    async with raw(services.consume, {"sessionId": session}) as viewer:
        body = (await viewer.rest()).decode()
    assert re.findall(r"^id: (.*)$", body, re.MULTILINE) == ids
    typed = [dict(fields) for fields in written]
    typed[0]["generation"] = typed[2]["generation"] = typed[6]["generation"] = 1
    typed[5]["content"] = "\ufffd\ufffd bytes"
    assert [json.loads(data) for data in re.findall(r"^data: (.*)$", body, re.MULTILINE)] == typed


async def test_an_entry_with_a_nudge_is_seen_at_once(services: Services, writer: OutsideWriter, session: str) -> None:
    await writer.begin()
    viewer = Viewer(services.consume.url, session)
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 1)
        for word in WORDS:
            await writer.say(word)
            await hears(viewer, word, NUDGED_WITHIN_S)
        await writer.end()
    assert viewer.text == "".join(WORDS)


async def test_an_entry_without_a_nudge_is_seen_with_the_next_recheck(
    brisk: Service, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    viewer = Viewer(brisk.url, session)
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 1)
        for word in WORDS[:3]:
            await writer.say(word, nudge=False)
            await hears(viewer, word, DEADLINE_S)
        await writer.end()
    assert viewer.text == "".join(WORDS[:3])


async def test_a_nudge_without_an_entry_is_nothing(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    viewer = Viewer(services.consume.url, session)
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 1)
        for _ in range(10):
            await redis_client.publish(keys.log(session), "whatever")
        await writer.end()
    assert [frame.id for frame in viewer.frames] == writer.ids
