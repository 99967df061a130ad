"""The log goes away under its viewers: no answer ends cleanly in its middle."""

import asyncio
import time
from typing import Any

import pytest

from shared import keys
from tests.consume_stream.facts import has_frames, viewers_are
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import Service
from tests.viewing import Cut, Frame, Viewer

pytestmark = pytest.mark.anyio

PATIENCE_S = 2.1
LATE_S = 5.0
"""What a busy machine adds."""


async def test_who_follows_an_answer_is_cut_and_who_follows_the_session_begins_anew(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    await writer.say("One")
    answer, staying = Viewer(brisk.url, session), Viewer(brisk.url, session, "session")

    async def is_cut() -> None:
        with pytest.raises(Cut):
            await answer.connect()

    async with asyncio.TaskGroup() as both:
        cut = both.create_task(is_cut())
        stays = both.create_task(staying.connect(until=is_end))
        await has_frames(answer, 2)
        await has_frames(staying, 2)
        await redis_client.delete(keys.log(session))
        deleted = time.monotonic()
        await cut
        assert PATIENCE_S - 0.2 <= time.monotonic() - deleted < PATIENCE_S + LATE_S
        await has_frames(staying, 3)
        assert staying.frames[2].event == {"type": "reset", "reason": "gone"}
        assert not stays.done()
        writer.generation = 0
        before = len(writer.ids)
        await writer.answer("Another life.")
    assert (answer.text, staying.text) == ("One", "Another life.")
    assert [frame.id for frame in staying.frames[3:]] == writer.ids[before:]


async def test_a_log_that_was_deleted_is_not_waited_for(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    await writer.say("One")
    staying = Viewer(brisk.url, session, "session")
    async with asyncio.TaskGroup() as both:
        both.create_task(staying.connect(until=lambda frame: frame.event["type"] == "reset"))
        await has_frames(staying, 2)
        await redis_client.hset(keys.meta(session), "status", "deleted")
        await redis_client.delete(keys.log(session))
        deleted = time.monotonic()
    assert time.monotonic() - deleted < PATIENCE_S - 0.2
    assert staying.frames[2].event == {"type": "reset", "reason": "gone"}


async def test_a_log_that_comes_back_in_time_is_gone_on_with(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    await writer.say("One")
    kept = await redis_client.xrange(keys.log(session))
    viewer = Viewer(brisk.url, session)
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 2)
        await redis_client.delete(keys.log(session))
        for at, fields in kept:
            await redis_client.xadd(keys.log(session), fields, id=at)
        await writer.say("Two")
        await writer.end()
    assert [frame.id for frame in viewer.frames] == writer.ids
    assert viewer.text == "OneTwo"


async def test_a_log_of_another_life_is_begun_with_at_once(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    await writer.say("One")
    viewer = Viewer(brisk.url, session)
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 2)
        await redis_client.delete(keys.log(session))
        writer.generation = 0
        again = await writer.answer("Another life.")
    assert [frame.event["type"] for frame in viewer.frames].count("reset") == 1
    assert viewer.frames[2].event == {"type": "reset", "reason": "unknown_position"}
    assert [frame.id for frame in viewer.frames[3:]] == again
    assert viewer.text == "Another life."


async def test_who_waits_for_a_session_waits_on_through_its_comings_and_goings(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    viewer = Viewer(brisk.url, session, "session")
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect(until=is_end))
        await viewers_are(brisk, 1)
        await redis_client.publish(keys.log(session), "")
        await writer.answer("One.")
    assert [frame.id for frame in viewer.frames] == writer.ids


def is_end(frame: Frame) -> bool:
    """Whether an answer has ended."""
    return frame.event.get("status") == "completed"
