"""Who sends slowly, or nothing, or takes nothing, holds a connection so long and no longer; a stream is not hurt."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from shared import intake, unsent
from tests.edge.line import Line, line
from tests.edge.serving import serving
from tests.processes import Services, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

HEAD_S, BODY_S, UNTAKEN_S = 10.0, 15.0, 30.0
LATE_S = 5.0
"""What a busy machine adds."""

QUICK_S = 0.2

GET = b"GET /healthz HTTP/1.1\r\nHost: rejoin\r\n"
POST = b"POST /api/nothing HTTP/1.1\r\nHost: rejoin\r\nTransfer-Encoding: chunked\r\n\r\n"
CONSUME = b"GET /api/consume-stream?sessionId=%s&follow=session HTTP/1.1\r\nHost: rejoin\r\n"


def test_the_limits_are_these() -> None:
    assert (intake._HEAD_S, intake._BODY_S, unsent._UNTAKEN_S) == (HEAD_S, BODY_S, UNTAKEN_S)


async def nothing(connection: Line) -> bytes:
    """Connect, and be silent."""
    return await connection.rest(HEAD_S + LATE_S)


async def half_a_head(connection: Line) -> bytes:
    """Stop in the middle."""
    await connection.send(GET)
    return await connection.rest(HEAD_S + LATE_S)


async def a_head_in_drops(connection: Line) -> bytes:
    """Always a bit more, so that the connection is never idle."""
    return await dripped(connection, GET + b"X-It: ", b"x")


async def empty_lines(connection: Line) -> bytes:
    """What may stand before a request, for ever."""
    return await dripped(connection, b"", b"\r\n")


async def empty_lines_after_a_request(connection: Line) -> bytes:
    """The same on a connection that is kept alive."""
    await connection.send(GET + b"\r\n")
    await connection.answer()
    return await dripped(connection, b"", b"\r\n")


async def a_second_head_in_drops(connection: Line) -> bytes:
    """The first one was in order."""
    await connection.send(GET + b"\r\n")
    await connection.answer()
    return await dripped(connection, GET + b"X-It: ", b"x")


async def a_body_that_nobody_reads(connection: Line) -> bytes:
    """The answer was there long ago."""
    await connection.send(POST)
    assert (await connection.answer()).status == 404
    return await dripped(connection, b"", b"1\r\nx\r\n", BODY_S)


async def dripped(connection: Line, first: bytes, drop: bytes, limit_s: float = HEAD_S) -> bytes:
    """Send drops until the connection ends."""
    await connection.send(first)
    rest = asyncio.create_task(connection.rest(limit_s + LATE_S))
    while not rest.done():
        await connection.send(drop)
        await asyncio.wait([rest], timeout=0.2)
    return await rest


NO_WORDS = (nothing, empty_lines, empty_lines_after_a_request, a_body_that_nobody_reads)
WORDS = (half_a_head, a_head_in_drops, a_second_head_in_drops)


async def test_whoever_is_slow_is_left_and_whoever_began_is_told(services: Services) -> None:
    async def ended(behave: Callable[[Line], Awaitable[bytes]]) -> tuple[bytes, float]:
        async with line(services.generate) as connection:
            began = time.monotonic()
            return await behave(connection), time.monotonic() - began

    # All at once: each takes its ten seconds.
    told = dict(zip(behaved := (*NO_WORDS, *WORDS), await asyncio.gather(*map(ended, behaved)), strict=True))
    for behave in NO_WORDS:
        assert told[behave][0] == b"", behave.__name__
    for behave in WORDS:
        assert told[behave][0].startswith(b"HTTP/1.1 408 "), behave.__name__
        assert b'"code": "request_timeout"' in told[behave][0]
    for behave, (_, seconds) in told.items():
        limit_s = BODY_S if behave is a_body_that_nobody_reads else HEAD_S
        assert limit_s - 0.1 < seconds < limit_s + LATE_S, behave.__name__


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test may reach many times, and long enough for a busy machine to do in time what is claimed."""
    for module, name, limit_s in (
        (intake, "_HEAD_S", QUICK_S),
        (intake, "_BODY_S", QUICK_S),
        (unsent, "_UNTAKEN_S", 0.6),
    ):
        monkeypatch.setattr(module, name, limit_s)


class Streaming:
    """An application that streams: what is said goes to all who ask."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[bytes] = asyncio.Queue()
        self.was_left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def hear() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.was_left.set()

        hearing = asyncio.create_task(hear())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while word := await self.said.get():
            await send({"type": "http.response.body", "body": word, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


@contextlib.asynccontextmanager
async def stream() -> AsyncIterator[tuple[Streaming, Line]]:
    """A stream that has begun."""
    app = Streaming()
    async with serving(app) as port, line(port) as connection:
        await connection.send(b"GET / HTTP/1.1\r\nHost: rejoin\r\n\r\n")
        await connection.head()
        yield app, connection
        app.said.put_nowait(b"")


LATER = [
    b"",
    b"\r\n",
    GET,
    b"GET /",
    b"rubbish\r\n\r\n",
    GET + b"X" * 2**16,
    POST,
    POST + b"rubbish",
    (GET + b"\r\n") * 20,
]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("later", LATER, ids=lambda later: later[:9].decode().strip() + str(len(later)))
async def test_a_stream_is_not_touched_whatever_comes_meanwhile(later: bytes) -> None:
    async with stream() as (app, connection):
        await connection.send(later)
        for word in (b"one", b"two", b"three"):
            # Three times what any limit is.
            await asyncio.sleep(QUICK_S)
            app.said.put_nowait(word)
            assert await connection.has(word + b"\r\n") == b"%x\r\n%s\r\n" % (len(word), word)
        app.said.put_nowait(b"")
        assert (await connection.has(b"0\r\n\r\n")) == b"0\r\n\r\n"
        assert not app.was_left.is_set()
        if later not in (b"", b"\r\n", (GET + b"\r\n") * 20, POST, POST + b"rubbish"):
            assert b"HTTP/1.1" not in await connection.rest()


@pytest.mark.usefixtures("quick")
async def test_a_stream_whose_own_request_never_ends_is_cut() -> None:
    app = Streaming()
    async with serving(app) as port, line(port) as connection:
        await connection.send(POST)
        await connection.head()
        rest = await dripped(connection, b"", b"1\r\nx\r\n")
        assert b"0\r\n\r\n" not in rest
        await asyncio.wait_for(app.was_left.wait(), 5)
        app.said.put_nowait(b"")


@pytest.mark.usefixtures("quick")
async def test_a_body_that_a_route_waits_for_without_an_end_is_a_408() -> None:
    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await PlainTextResponse("all of it")(scope, receive, send)

    async with serving(wait) as port, line(port) as connection:
        rest = await dripped(connection, POST, b"1\r\nx\r\n")
        assert rest.startswith(b"HTTP/1.1 408 ")
        assert b"all of it" not in rest


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kept", [b"keep-alive", b"close"])
async def test_who_takes_nothing_of_a_large_answer_is_dropped_and_who_takes_it_slowly_is_not(kept: bytes) -> None:
    body, state = b"x" * 20_000_000, ServerState()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(body)(scope, receive, send)

    async def is_dropped() -> bool:
        return bool(state.total_requests) and not state.connections

    async with serving(large, state) as port:
        ask = b"GET / HTTP/1.1\r\nHost: rejoin\r\nConnection: " + kept + b"\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port)) as deaf:
            deaf.sendall(ask)
            await until(is_dropped, 20)
        async with line(port) as connection:
            await connection.send(ask)
            await connection.head()
            left = len(body)
            while left:
                await asyncio.sleep(0.01)
                left -= len(taken := await connection.some(min(left, 500_000)))
                assert taken, "it was cut"
