"""A WebSocket is answered in good order whatever befalls it here: an error, a drain, a peer who takes nothing."""

import asyncio
import logging

import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.server import ServerState

from shared.http import ApiError, application
from shared.websocket import WebSocketProtocol
from tests.edge.line import line
from tests.edge.serving import serving
from tests.processes import until

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

UPGRADES = {b"/socket": WebSocketProtocol}
HANDSHAKE = (
    "GET /socket HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nX-Request-ID: an-id"
)
PING = b"\x81\x84\0\0\0\0ping"


async def test_an_unexpected_error_is_told_as_to_every_request_and_logged_with_its_cause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(socket: WebSocket) -> None:
        raise ZeroDivisionError(f"a fault of ours at {socket.url.path}")

    app = application([WebSocketRoute("/socket", fail)], [], None)
    caplog.set_level(logging.INFO)
    async with serving(app, upgrades=UPGRADES) as port, line(port) as raw:
        answer = await raw.ask(HANDSHAKE)
        assert (answer.status, answer.code) == (500, "internal_error")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"] == "an-id"
        assert await raw.rest() == b""
    [told] = [row for row in caplog.records if row.levelno == logging.ERROR]
    assert "a fault of ours at /socket" in logging.Formatter().format(told)
    [request] = [row for row in caplog.records if row.getMessage() == "request"]
    assert request.__dict__["fields"]["status"] == 500


async def test_an_error_behind_the_accept_breaks_the_connection_off(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(socket: WebSocket) -> None:
        await socket.accept()
        raise ZeroDivisionError

    app = application([WebSocketRoute("/socket", fail)], [], None)
    async with serving(app, upgrades=UPGRADES) as port, line(port) as raw:
        assert (await raw.ask(HANDSHAKE)).status == 101
        assert await raw.rest() == b""
    assert [row.levelno for row in caplog.records if row.exc_info] == [logging.ERROR]


async def test_who_is_at_the_door_when_the_server_shuts_down_hears_what_the_application_has_to_say() -> None:
    asked, draining = asyncio.Event(), asyncio.Event()

    async def refuse(socket: WebSocket) -> None:
        del socket
        asked.set()
        await draining.wait()
        raise ApiError(503, "draining", "Try again.")

    state = ServerState()
    app = application([WebSocketRoute("/socket", refuse)], [], None)
    async with serving(app, state, UPGRADES) as port, line(port) as raw:
        answering = asyncio.create_task(raw.ask(HANDSHAKE))
        await asked.wait()
        for connection in [*state.connections]:
            connection.shutdown()
        draining.set()
        answer = await answering
        assert (answer.status, answer.code) == (503, "draining")


async def test_who_takes_nothing_is_not_heard_either_also_when_the_application_listens() -> None:
    told, state = asyncio.Event(), ServerState()

    async def has_spoken() -> bool:
        return any(not connection.queue.empty() for connection in state.connections)  # type: ignore[union-attr]

    async def speak(socket: WebSocket) -> None:
        await socket.accept()
        await until(has_spoken, 20)
        await socket.send_text("x" * 20_000_000)
        await socket.receive_text()
        told.set()
        await socket.receive_text()

    app = application([WebSocketRoute("/socket", speak)], [], None)
    async with serving(app, state, UPGRADES) as port, line(port) as raw:
        assert (await raw.ask(HANDSHAKE)).status == 101
        await raw.send(PING)
        await told.wait()
        [connection] = state.connections
        assert not connection.transport.is_reading()
        await raw.send(PING)
        # It takes all of it, is heard again, and has an end.
        assert (await raw.rest()).count(b"x") == 20_000_000
