"""What comes in is limited while it comes: targets, headers, trailers, requests that wait; and what is no HTTP."""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.edge.line import Line, line
from tests.edge.serving import serving
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

GET = "GET /healthz HTTP/1.1"
STOP = "POST /api/stop-stream HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked"


async def refused(connection: Line, status: int, code: str) -> None:
    """The answer is this error, and the last one."""
    answer = await connection.answer()
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert await connection.rest() == b""


@pytest.mark.parametrize("name", ["generate", "consume"])
async def test_the_largest_head_is_taken_and_one_line_or_byte_more_is_not(services: Services, name: str) -> None:
    service = getattr(services, name)
    host = len("Host: rejoin\r\n")
    most = [f"X-{number:03}: {'x' * 319}" for number in range(99)]
    most[0] += "x" * (32 * 1024 - host - sum(len(each) + 2 for each in most))
    async with line(service) as connection:
        assert (await connection.ask("\n".join([GET, *most]))).status == 200
        most[0] += "x"
        await connection.send("\r\n".join([GET, "Host: rejoin", *most, "", ""]).encode())
        await refused(connection, 431, "headers_too_large")
    async with line(service) as connection:
        assert (await connection.ask("\n".join([GET, *(f"X-{number}: 1" for number in range(99))]))).status == 200
        await connection.send((GET + "\r\n" + "X: 1\r\n" * 101 + "\r\n").encode())
        await refused(connection, 431, "headers_too_large")


async def test_a_target_takes_8_kib(services: Services) -> None:
    async with line(services.consume) as connection:
        rest = 8 * 1024 - len("/healthz?")
        assert (await connection.ask(f"GET /healthz?{'x' * rest} HTTP/1.1")).status == 200
        await connection.send(f"GET /healthz?{'x' * (rest + 1)} HTTP/1.1\r\n\r\n".encode())
        await refused(connection, 414, "uri_too_long")


@pytest.mark.parametrize(
    ("endless", "status"), [(b"X-It: ", 431), (b"X-", 431), (b"GET /", 414)], ids=["value", "name", "target"]
)
async def test_a_line_without_an_end_is_not_kept(services: Services, endless: bytes, status: int) -> None:
    begin = b"" if endless.startswith(b"GET") else b"GET / HTTP/1.1\r\n"
    async with line(services.generate) as connection:
        await connection.send(begin + endless)
        for _ in range(100):
            await connection.send(b"x" * 10_000)
        answer = await connection.answer()
        assert answer.status == status


async def test_a_trailer_without_an_end_is_not_kept(services: Services) -> None:
    async with line(services.generate) as connection:
        await connection.send(STOP.replace("\n", "\r\n").encode() + b"\r\nHost: rejoin\r\n\r\n2\r\n{}\r\n0\r\nX-It: ")
        for _ in range(100):
            await connection.send(b"x" * 10_000)
        await refused(connection, 431, "headers_too_large")


async def test_a_trailer_is_no_header() -> None:
    async with serving(_echo_headers) as port, line(port) as connection:
        trailer = b"0\r\nX-Request-ID: forged\r\nHost: forged\r\n\r\n"
        answer = await connection.ask("POST / HTTP/1.1\nTransfer-Encoding: chunked\nX-It: 1", b"1\r\na\r\n" + trailer)
        assert answer.body == b"transfer-encoding x-it host"


async def _echo_headers(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    await request.body()
    await PlainTextResponse(b" ".join(name for name, _ in scope["headers"]))(scope, receive, send)


async def test_a_body_in_very_small_chunks_is_taken(services: Services) -> None:
    body = b'{"sessionId": "nobody-has-begun-it", "generation": 1}' + b" " * 20_000
    chunks = b"".join(b"1\r\n%c\r\n" % each for each in body)
    async with line(services.generate) as connection:
        assert (await connection.ask(STOP, chunks + b"0\r\n\r\n")).status == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["TLS", "HTTP/2", "words", "length", "line", "connect", "nul", "two lengths"],
)  # fmt: skip
async def test_what_is_no_http_is_an_error_of_ours(services: Services, raw: bytes) -> None:
    async with line(services.consume) as connection:
        await connection.send(raw)
        await refused(connection, 400, "bad_request")


async def test_requests_in_one_piece_are_answered_in_turn_up_to_nine(services: Services) -> None:
    asked = (GET + "\r\nHost: rejoin\r\n\r\n").encode()
    async with line(services.generate) as connection:
        await connection.send(asked * 9)
        for _ in range(9):
            assert (await connection.answer()).status == 200
        await connection.send(asked * 100)
        assert (await connection.rest()).count(b"200 OK") == 1


async def test_after_an_upgrade_that_is_not_made_the_connection_ends(services: Services) -> None:
    async with line(services.generate) as connection:
        answer = await connection.ask(f"{GET}\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAM")
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await connection.rest() == b""
