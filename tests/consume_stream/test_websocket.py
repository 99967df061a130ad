"""GET /api/consume-stream, upgraded: the same frames as messages, and a close whose code says what to do."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from deploy.leash import Leash
from tests.consume_stream.facts import metric, no_groups, viewers_are
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import unread
from tests.consume_stream.socket_viewer import BROKEN_OFF, Closed, SocketViewer, socket
from tests.consume_stream.test_http_bad_viewers import big_log
from tests.edge.line import line
from tests.processes import Service, Services, until
from tests.viewing import Refused, Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

HANDSHAKE = (
    "GET /api/consume-stream?sessionId={} HTTP/1.1\nConnection: keep-alive, Upgrade\nUpgrade: websocket\n"
    "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)


async def closed(connection: ClientConnection) -> int:
    """Read to the end; the code that it was closed with."""
    async with asyncio.timeout(20):
        while True:
            try:
                await connection.recv()
            except ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else BROKEN_OFF


async def told(viewer: Viewer) -> list[Any]:
    await viewer.connect()
    return [(frame.id, frame.event) for frame in viewer.frames]


async def test_it_tells_what_server_sent_events_tell_from_any_resume_point(
    services: Services, writer: OutsideWriter, session: str, redis_client: Any
) -> None:
    await writer.answer("Hel", "lo\u2028\x85 🌊", "id: 1-1\ndata: 2\n\n", usage=json.dumps({"text": "\ud800"}))
    await writer.answer("Again.")
    for entry in ("", *writer.ids[:-1]):
        by_event, by_message = Viewer(services.consume.url, session), SocketViewer(services.consume.url, session)
        by_event.last_id = by_message.last_id = entry
        assert await told(by_message) == await told(by_event) != []
    await no_groups(redis_client, session)


async def test_an_answer_cut_at_any_entry_and_joined_late_reads_as_one(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    words = ["One ", "word ", "after ", "the ", "other."]
    viewer = SocketViewer(services.consume.url, session)
    await writer.begin()
    for word in words:
        await viewer.connect(until=lambda _: True)
        await writer.say(word)
    late = SocketViewer(services.consume.url, session)
    following = asyncio.gather(viewer.connect(), late.connect())
    await writer.end()
    await following
    assert viewer.text == late.text == "".join(words)
    ids = [frame.id for frame in viewer.frames]
    assert len(ids) == len(set(ids))


async def test_who_has_read_the_end_is_told_that_it_is_the_end(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("All.")
    query = {"sessionId": session, "lastEventId": writer.ids[-1]}
    async with socket(f"{services.consume.url}/api/consume-stream", query) as connection:
        assert await closed(connection) == 1000


async def test_a_position_that_is_not_in_the_log_is_a_reset_and_the_session_goes_on(
    services: Services, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    viewer = SocketViewer(services.consume.url, session, "session")
    viewer.last_id = "1-1"
    await viewer.connect(until=lambda frame: frame.event.get("status") == "completed")
    assert viewer.frames[0].event == {"type": "reset", "reason": "unknown_position"}
    following = asyncio.create_task(viewer.connect(until=lambda _: viewer.text == "One.Two."))
    await writer.answer("Two.")
    await following


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"sessionId": "x"}, 400, "invalid_session_id"),
        ({"follow": "me"}, 400, "invalid_follow"),
        ({"lastEventId": "x"}, 400, "invalid_resume_point"),
        ({}, 404, "session_not_found"),
    ],
)
async def test_who_is_not_let_in_is_answered_by_http(
    services: Services, session: str, query: dict[str, str], status: int, code: str
) -> None:
    before = len(services.consume.log)
    with pytest.raises(Refused) as refused:
        async with socket(f"{services.consume.url}/api/consume-stream", {"sessionId": session} | query):
            pass
    assert '"level": "error"' not in services.consume.log[before:]
    response = refused.value.response
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.headers["x-request-id"]


async def test_no_foreign_page_listens_though_nobody_is_asked_who_they_are(services: Services, session: str) -> None:
    url, query = f"{services.consume.url}/api/consume-stream", {"sessionId": session, "follow": "session"}
    for origin in ("https://evil.example", "null", services.consume.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(Refused) as refused:
            async with socket(url, query, origin=origin):
                pass
        assert refused.value.response.json()["error"]["code"] == "origin_not_allowed"
    async with socket(url, query, origin=services.consume.url):
        pass


async def test_pings_of_the_protocol_and_for_pages_and_one_for_whoever_asks(brisk: Service, session: str) -> None:
    query = {"sessionId": session, "follow": "session", "ping": "event"}
    async with socket(f"{brisk.url}/api/consume-stream", query) as connection:
        assert connection.protocol.extensions == []
        for _ in range(3):
            assert json.loads(await connection.recv()) == {"ping": 0.2}
        await connection.send("ping")
        async with asyncio.timeout(20):
            while (heard := json.loads(await connection.recv())) != {"pong": True}:
                assert heard == {"ping": 0.2}
    async with line(brisk) as raw:
        await raw.ask(HANDSHAKE.format(f"{session}&follow=session"))
        assert await raw.has(b"\x89\x00\x89\x00")


@pytest.mark.parametrize(("said", "code"), [("Hello?", 1008), (b"ping", 1003), ("x" * 4097, 1009), (["x"] * 10, 1009)])
async def test_whoever_says_anything_else_is_closed_and_told_why(
    services: Services, session: str, said: Any, code: int
) -> None:
    query = {"sessionId": session, "follow": "session"}
    async with socket(f"{services.consume.url}/api/consume-stream", query) as connection:
        await connection.send(said)
        assert await closed(connection) == code
    await viewers_are(services.consume, 0)
    assert "Traceback" not in services.consume.log


@pytest.mark.parametrize("frames", [b"\x81\x81\0\0\0\0\xff", b"\xff" * 20, b"\x81\x01x", b"\x88\x80\0\0\0\0"])
async def test_what_is_no_websocket_ends_it_without_a_word_in_the_log(
    services: Services, session: str, frames: bytes
) -> None:
    before = len(services.consume.log)
    async with line(services.consume) as raw:
        assert (await raw.ask(HANDSHAKE.format(f"{session}&follow=session"))).status == 101
        await raw.send(frames)
        assert (await raw.rest())[:1] == b"\x88"
    await viewers_are(services.consume, 0)
    assert '"level": "error"' not in services.consume.log[before:]


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        ("Sec-WebSocket-Version: 12", 400, "bad_handshake"),
        ("Sec-WebSocket-Protocol: bearer a-token", 400, "bad_handshake"),
        (f"X-It: {'x' * 9000}", 400, "bad_handshake"),
        ("X-It: " + "x" * 33_000, 431, "headers_too_large"),
        ("\n".join(["X-It: 1"] * 100), 431, "headers_too_large"),
    ],
)
async def test_a_handshake_has_the_limits_of_every_request(
    services: Services, session: str, head: str, status: int, code: str
) -> None:
    async with line(services.consume) as raw:
        answer = await raw.ask(f"{HANDSHAKE.format(session)}\n{head}")
        assert (answer.status, answer.code) == (status, code)
        assert b"a-token" not in answer.body
        assert await raw.rest() == b""


async def test_a_service_without_websockets_answers_as_if_nobody_had_asked_for_one(services: Services) -> None:
    async with line(services.generate) as raw:
        head = HANDSHAKE.replace("consume-stream?sessionId={}", "models")
        assert (await raw.ask(head)).status == 200
        assert await raw.rest() == b""


async def test_who_takes_nothing_is_dropped_and_holds_up_nobody(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    text = await big_log(writer)
    dropped = await metric(brisk, "rejoin_viewers_dropped_total")
    stuck = unread(brisk, session, HANDSHAKE.format(session).partition("\n")[2])
    viewer = SocketViewer(brisk.url, session)
    await viewer.connect(until=lambda _: viewer.text == text)
    await no_groups(redis_client, session)
    assert await metric(brisk, "rejoin_viewers_dropped_total") == dropped + 1
    stuck.close()


@pytest.mark.parametrize("frame", [b"\x89\x80\0\0\0\0", b"\x8a\x80\0\0\0\0", b"\x81\x84\0\0\0\0ping"])
async def test_who_has_more_to_say_than_anybody_can_hear_is_closed(brisk: Service, session: str, frame: bytes) -> None:
    async with line(brisk) as raw:
        assert (await raw.ask(HANDSHAKE.format(f"{session}&follow=session"))).status == 101
        await raw.send(frame * 101)
        assert (await raw.rest()).endswith(b"\x88\x19\x03\xf0too many frames at once")
    await viewers_are(brisk, 0)


async def test_it_is_told_to_come_back_when_its_process_leaves_and_cut_when_it_dies(
    redis_url: str, leash: Leash, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    for end, code in (("stop", 1012), ("kill", BROKEN_OFF)):
        service = await Service("services.consume_stream", leash, {"REDIS_URL": redis_url}).start()
        viewer = SocketViewer(service.url, session)
        following = asyncio.create_task(viewer.connect())
        await until(lambda viewer=viewer: _has_frames(viewer), 20)
        await getattr(service, end)()
        with pytest.raises(Closed) as cut:
            await following
        assert cut.value.code == code
        if end == "stop":
            [request] = [json.loads(row) for row in service.log.splitlines() if "/api/consume-stream" in row]
            assert (request["status"], request["close"], request["session"]) == (101, 1012, session)


async def _has_frames(viewer: Viewer) -> bool:
    return bool(viewer.frames)


async def test_a_log_that_is_gone_closes_it_as_broken(brisk: Service, redis_client: Any, session: str) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    viewer = SocketViewer(brisk.url, session)
    following = asyncio.create_task(viewer.connect())
    await until(lambda: _has_frames(viewer), 20)
    await redis_client.delete(f"llm:stream:{session}")
    with pytest.raises(Closed) as cut:
        await following
    assert cut.value.code == 1011


async def test_elsewhere_an_upgrade_is_not_made(services: Services, writer: OutsideWriter, session: str) -> None:
    await writer.answer("Hello")
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        response = await client.get(f"{services.consume.url}/api/sessions/{session}", headers=headers)
    assert response.status_code == 200
