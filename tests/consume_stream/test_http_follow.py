"""How long a stream goes on: to the end of the answer, or through all answers of the session."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.consume_stream.facts import has_frames
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw
from tests.processes import Services
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio


async def test_following_an_answer_ends_cleanly_after_the_last_end(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    await writer.answer("Two.")
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    assert [frame.id for frame in viewer.frames] == writer.ids
    assert viewer.text == "One.Two."


async def test_following_an_answer_waits_for_its_end(services: Services, writer: OutsideWriter, session: str) -> None:
    await writer.answer("One.")
    await writer.begin()
    viewer = Viewer(services.consume.url, session)
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        await has_frames(viewer, 4)
        await writer.say("Two")
        await has_frames(viewer, 5)
        await writer.end("stopped")
    assert [frame.id for frame in viewer.frames] == writer.ids


async def test_following_a_session_begins_before_there_is_one_and_goes_on_after_each_answer(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    viewer = Viewer(services.consume.url, session, "session")
    async with raw(services.consume, {"sessionId": session, "follow": "session"}) as early:
        await early.has(b": ping\n")
        async with asyncio.TaskGroup() as both:
            both.create_task(viewer.connect(until=lambda frame: frame.event.get("generation") == 3))
            await writer.answer("One.")
            await has_frames(viewer, 3)
            await writer.answer("Two.")
            await has_frames(viewer, 6)
            third = await writer.begin()
        await early.has(third.encode())
    assert [frame.id for frame in viewer.frames] == writer.ids
    assert [answer.text for answer in viewer.view.answers.values()] == ["One.", "Two.", ""]


async def test_a_page_hears_signs_of_life_as_events_that_are_no_messages(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    async with raw(services.consume, {"sessionId": session, "follow": "session", "ping": "event"}) as viewer:
        assert await viewer.has(b"\n\n") == b"event: ping\ndata: 15\n\n"
        first = await writer.begin()
        body = await viewer.has(b'"status":"started"')
        assert b"\n: ping" not in body
        assert body.count(f"id: {first}\n".encode()) == 1


async def test_an_unknown_session_is_not_found(services: Services, session: str) -> None:
    async with httpx2.AsyncClient(verify=False) as client:
        response = await client.get(f"{services.consume.url}/api/consume-stream", params={"sessionId": session})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "session_not_found")


async def test_whoever_has_the_end_already_gets_no_content(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    url, query = f"{services.consume.url}/api/consume-stream", {"sessionId": session}
    async with httpx2.AsyncClient(verify=False) as client:
        by_header = await client.get(url, params=query, headers={"Last-Event-ID": writer.ids[-1]})
        by_query = await client.get(url, params=query | {"lastEventId": writer.ids[-1]})
    assert [(each.status_code, each.content) for each in (by_header, by_query)] == [(204, b"")] * 2
    staying: dict[str, Any] = {"sessionId": session, "follow": "session", "lastEventId": writer.ids[-1]}
    async with raw(services.consume, staying) as viewer:
        assert viewer.response.status_code == 200
        later = await writer.begin()
        assert f"id: {later}\n".encode() in await viewer.has(b"\n\n")
