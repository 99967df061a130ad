"""GET /api/consume-stream, byte by byte: the head, the first sign of life, the frames, the end."""

import json
import re

import pytest

from tests.consume_stream.facts import viewers_are
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw, unread
from tests.processes import Service, Services

pytestmark = pytest.mark.anyio


async def test_a_sign_of_life_comes_before_the_first_word(services: Services, session: str) -> None:
    async with raw(services.consume, {"sessionId": session, "follow": "session"}) as viewer:
        assert viewer.response.status_code == 200
        assert await viewer.has(b"\n") == b": ping\n"


async def test_the_head_lets_nothing_on_the_way_hold_it_back(services: Services, session: str) -> None:
    accept = {"Accept-Encoding": "gzip, deflate, br, zstd"}
    async with raw(services.consume, {"sessionId": session, "follow": "session"}, **accept) as viewer:
        headers = viewer.response.headers
    assert headers["content-type"].partition(";")[0] == "text/event-stream"
    assert headers["cache-control"] == "no-cache, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in headers
    assert "content-length" not in headers


async def test_pings_are_comments_with_one_newline_between_and_around_the_events(
    brisk: Service, writer: OutsideWriter, session: str
) -> None:
    async with raw(brisk, {"sessionId": session, "follow": "session"}) as viewer:
        assert await viewer.has(b": ping\n" * 3) == b": ping\n" * 3
        await writer.begin()
        await viewer.has(b"\n\n")
        before = len(viewer.body)
        await viewer.has(b"\n\n: ping\n: ping\n")
        assert viewer.body[before:] == b": ping\n" * 2


async def test_the_time_to_come_back_travels_inside_the_first_event_and_is_another_for_each(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("Hel", "lo.")
    bodies = []
    for _ in range(8):
        async with raw(services.consume, {"sessionId": session}) as viewer:
            bodies.append((await viewer.rest()).decode())
    waits = set()
    for body in bodies:
        ping, first, *others = body.split("\n")
        assert ping == ": ping"
        wait = re.fullmatch(r"retry: (\d+)", first)
        assert wait
        assert others[0] == f"id: {writer.ids[0]}"
        assert not any(line.startswith("retry") for line in others)
        waits.add(int(wait[1]))
    assert all(500 <= each <= 2500 for each in waits)
    assert len(waits) > 1


async def test_a_frame_is_an_id_a_line_of_json_and_an_empty_line(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    content = "a\r\nb\x00\u2028\u2029\x85 wörld 🌊"
    await writer.begin(replaces="1")
    await writer.say(content)
    usage = {"total_tokens": 3}
    await writer.end("failed", chunks=1, ttftMs=4, code="c", error="e", retryable="true", usage=json.dumps(usage))
    async with raw(services.consume, {"sessionId": session}) as viewer:
        body = (await viewer.rest()).decode()
    # Whatever a client takes for the end of a line, it finds the same lines.
    assert body.splitlines() == body.removesuffix("\n").split("\n")
    frames = re.sub(r"^: ping\nretry: \d+\n", "", body).removesuffix("\n\n").split("\n\n")
    found = [re.fullmatch(r"id: (\S+)\ndata: (.+)", frame) for frame in frames]
    assert [match and match[1] for match in found] == writer.ids
    assert [json.loads(match[2]) for match in found if match] == [
        {"type": "metadata", "status": "started", "generation": 1, "attempt": 1, "prompt": "Hello?",
         "provider": "outside", "model": "m", "startedAt": "2026-01-01T00:00:00.000Z", "replaces": 1},
        {"type": "chunk", "generation": 1, "content": content, "ms": 1},
        {"type": "metadata", "status": "failed", "generation": 1, "ms": 9, "durationMs": 9, "chunks": 1, "ttftMs": 4,
         "code": "c", "error": "e", "retryable": True, "usage": usage},
    ]  # fmt: skip


async def test_who_leaves_before_anything_has_begun_breaks_nothing(services: Services, session: str) -> None:
    for _ in range(20):
        connections = [unread(services.consume, f"{session}&follow=session") for _ in range(5)]
        for connection in connections:
            connection.close()
    await viewers_are(services.consume, 0)
    assert "Traceback" not in services.consume.log
