"""Coming back: a point in the log is gone on from, one past its end is waited for, any other begins anew."""

import asyncio
import json
import re
import time

import httpx2
import pytest

from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw
from tests.processes import Service, Services
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

PATIENCE_S = 2.1
"""Of the brisk process: its lease and two seconds."""

LATE_S = 5.0
"""What a busy machine adds."""


async def test_every_entry_is_a_point_to_come_back_to(services: Services, writer: OutsideWriter, session: str) -> None:
    await writer.answer("One", " ", "and", " only.")
    await writer.answer("Two.")
    words = ["", "One", " ", "and", " only.", "", "", "Two.", ""]
    for number, at in enumerate(["0", *writer.ids[:-1]]):
        viewer = Viewer(services.consume.url, session)
        viewer.last_id = at
        await viewer.connect()
        assert "".join(frame.event.get("content", "") for frame in viewer.frames) == "".join(words[number:])
        assert viewer.frames[-1].id == writer.ids[-1]


async def test_the_header_goes_before_the_query_which_is_as_good(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    query = {"sessionId": session, "lastEventId": writer.ids[0]}
    for headers, expected in (({}, writer.ids[1:]), ({"Last-Event-ID": writer.ids[1]}, writer.ids[2:])):
        async with raw(services.consume, query, **headers) as viewer:
            body = (await viewer.rest()).decode()
        assert re.findall(r"^id: (.*)$", body, re.MULTILINE) == expected


async def test_a_point_of_another_life_begins_anew_at_once(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One", " and only.")
    ms, _, seq = writer.ids[-1].partition("-")
    for unknown in ("1-1", f"{int(ms) - 1}-{seq}", f"{int(ms) - 1}-0"):
        async with raw(services.consume, {"sessionId": session, "lastEventId": unknown}) as viewer:
            body = (await viewer.rest()).decode()
        ping, retry, data, empty, first, *_ = body.split("\n")
        assert (ping, empty, first) == (": ping", "", f"id: {writer.ids[0]}")
        assert retry.startswith("retry: ")
        assert json.loads(data.removeprefix("data: ")) == {"type": "reset", "reason": "unknown_position"}
        assert re.findall(r"^id: (.*)$", body, re.MULTILINE)[-1] == writer.ids[-1]


async def test_a_viewer_that_began_anew_holds_the_log_and_nothing_else(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    viewer = Viewer(services.consume.url, session)
    await viewer.connect()
    viewer.last_id = "1-7"
    await viewer.connect()
    assert (viewer.text, viewer.last_id) == ("One.", writer.ids[-1])
    assert [frame.event["type"] for frame in viewer.frames].count("reset") == 1


async def test_a_point_past_the_end_is_waited_for_and_the_log_may_reach_it(
    brisk: Service, writer: OutsideWriter, session: str
) -> None:
    begun = await writer.begin()
    ms = begun.partition("-")[0]
    viewer = Viewer(brisk.url, session)
    viewer.last_id = f"{ms}-2"
    began = time.monotonic()
    async with asyncio.TaskGroup() as both:
        both.create_task(viewer.connect())
        async with raw(brisk, {"sessionId": session, "lastEventId": f"{ms}-2"}) as other:
            await other.has(b": ping\n: ping\n")
            await writer.say("One", ", ", "two")
            await writer.end()
            assert b"reset" not in await other.rest()
    assert time.monotonic() - began < PATIENCE_S
    assert [frame.id for frame in viewer.frames] == writer.ids[3:]
    assert viewer.frames[0].event["content"] == "two"


async def test_a_point_past_the_end_is_waited_for_in_vain_only_so_long(
    brisk: Service, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    ms = writer.ids[-1].partition("-")[0]
    began = time.monotonic()
    viewer = Viewer(brisk.url, session)
    viewer.last_id = f"{ms}-999"
    await viewer.connect()
    assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + LATE_S
    reset, *others = viewer.frames
    assert (reset.id, reset.event) == (None, {"type": "reset", "reason": "unknown_position"})
    assert [frame.id for frame in others] == writer.ids


async def test_a_point_of_a_log_that_is_gone_is_waited_for_as_well(
    brisk: Service, writer: OutsideWriter, session: str
) -> None:
    staying = Viewer(brisk.url, session, "session")
    staying.last_id = "1767225600000-5"
    began = time.monotonic()

    async def not_found() -> None:
        query = {"sessionId": session, "lastEventId": "1767225600000-5"}
        async with httpx2.AsyncClient(verify=False) as client:
            response = await client.get(f"{brisk.url}/api/consume-stream", params=query)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "session_not_found")
        assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + LATE_S

    async def gone() -> None:
        await staying.connect(until=lambda frame: frame.event["type"] == "reset")
        assert staying.frames[-1].event == {"type": "reset", "reason": "gone"}
        assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + LATE_S

    await asyncio.gather(not_found(), gone())
