"""The origin hands on what it gets, as it comes and as it is; and a cut stays a cut."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from deploy.origin import _HEADERS
from shared.access.headers import secured
from tests.deploy.local_run import ROOT, environment, until
from tests.deploy.upstream import Client, Upstream
from tests.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("page")]

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Origin:
    """`python -m deploy.origin` on its own, in front of two ports that a test may listen on."""

    def __init__(self, log: Path) -> None:
        ports = self.port, self.generate_port, self.consume_port = free_port(), free_port(), free_port()
        names = ("REJOIN_PORT", "REJOIN_GENERATE_PORT", "REJOIN_CONSUME_PORT")
        env = environment(**dict(zip(names, map(str, ports), strict=True)))
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen([sys.executable, "-m", "deploy.origin"], cwd=ROOT, env=env, stderr=file)
        try:
            until(self._answers, 20, "the origin's health")
        except BaseException:
            self.process.kill()
            raise

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{self.port}/healthz", trust_env=False, verify=False).status_code == 200
        except httpx2.ConnectError:
            return False

    async def client(self) -> Client:
        """A connection to it."""
        return await Client.connect(self.port)


def started(directory: Path) -> Iterator[Origin]:
    origin = Origin(directory / "origin.log")
    yield origin
    origin.process.kill()
    origin.process.wait()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    yield from started(tmp_path_factory.mktemp("origin"))


@pytest.fixture
def mortal_origin(tmp_path: Path) -> Iterator[Origin]:
    """One that a test may end."""
    yield from started(tmp_path)


async def test_each_piece_of_an_answer_passes_before_the_next_is_written(origin: Origin) -> None:
    async with Upstream(origin.consume_port) as upstream, await origin.client() as client:
        await client.ask("GET /api/consume-stream?sessionId=12345678 HTTP/1.1")
        service = await upstream.next()
        await service.head()
        await service.send(CHUNKED)
        assert b"200 OK" in await client.head()
        for piece in (b": ping\n", b"data: 1\n\n", b"data: 2\n\n"):
            framed = b"%x\r\n%s\r\n" % (len(piece), piece)
            await service.send(framed)
            assert await client.read(len(framed)) == framed
        await service.send(b"0\r\n\r\n")
        assert await client.read(5) == b"0\r\n\r\n"


async def test_each_piece_of_a_request_passes_before_the_next_is_written(origin: Origin) -> None:
    async with Upstream(origin.generate_port) as upstream, await origin.client() as client:
        await client.ask("POST /api/generate-stream HTTP/1.1\nContent-Length: 6", b"abc")
        service = await upstream.next()
        assert b"content-length: 6" in (await service.head()).lower()
        assert await service.read(3) == b"abc"
        await client.send(b"def")
        assert await service.read(3) == b"def"


async def test_a_request_arrives_as_it_was_sent_but_for_what_is_of_one_hop(origin: Origin) -> None:
    async with Upstream(origin.consume_port) as upstream, await origin.client() as client:
        target = "/api/sessions/a%2Fb;c?x=%20+&y='\"&&z"
        kept = ["Last-Event-ID: 1-2", "Authorization: Bearer x", "Accept: text/event-stream", "Cookie: a=b", "X-It: 1"]
        dropped = ["Connection: keep-alive, X-Mine", "X-Mine: 1", "Keep-Alive: 5", "TE: trailers", "Upgrade: h2c"]
        await client.ask("\n".join([f"GET {target} HTTP/1.1", *kept, *dropped]))
        first, *lines = (await (await upstream.next()).head()).decode().split("\r\n")
    assert first == f"GET {target} HTTP/1.1"
    told = ["Host: rejoin.example", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http"]
    assert sorted(line.lower() for line in lines) == sorted(line.lower() for line in [*kept, *told])


async def test_who_came_before_is_named_before_and_no_header_takes_a_browsers_word_away(origin: Origin) -> None:
    async with Upstream(origin.generate_port) as upstream, await origin.client() as client:
        kept = ["X-Forwarded-For: 192.0.2.1, 192.0.2.2", "X-Forwarded-For: 192.0.2.3", "X-Forwarded-Proto: https"]
        kept += ["Origin: https://rejoin.example", "Sec-Fetch-Site: same-origin", "Cookie: __Host-rejoin=a.b.c"]
        await client.ask("\n".join(["POST /api/stop-stream HTTP/1.1", *kept, "Content-Length: 0"]))
        lines = (await (await upstream.next()).head()).decode().split("\r\n")[1:]
    forwarded = [line for line in lines if line.lower().startswith("x-forwarded-for")]
    assert [line.partition(": ")[2] for line in forwarded] == ["192.0.2.1, 192.0.2.2", "192.0.2.3", "127.0.0.1"]
    wanted = [*kept[2:], "Host: rejoin.example", "Content-Length: 0"]
    assert {line.lower() for line in wanted} <= {line.lower() for line in lines}
    assert len(lines) == len(wanted) + len(forwarded)


async def test_an_answer_arrives_as_it_was_sent(origin: Origin) -> None:
    body = gzip.compress(b"never touched")
    head = ["HTTP/1.1 418 Teapot", "Content-Encoding: gzip", "Set-Cookie: a=b", "Set-Cookie: c=d", "Retry-After: 7"]
    async with Upstream(origin.generate_port) as upstream, await origin.client() as client:
        await client.ask("POST /v1/chat/completions HTTP/1.1\nContent-Length: 0")
        service = await upstream.next()
        await service.head()
        lines = [*head, f"Content-Length: {len(body)}", "Connection: close", "", ""]
        await service.send("\r\n".join(lines).encode() + body)
        answer = (await client.head()).decode().lower()
        assert await client.read(len(body)) == body
    assert answer.startswith("http/1.1 418")
    for line in head[1:]:
        assert line.lower() in answer
    assert "connection: close" not in answer


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/generate-stream", "generate"),
        ("/api/stop-stream", "generate"),
        ("/api/models", "generate"),
        ("/v1/models", "generate"),
        ("/v1/responses/x", "consume"),
        ("/api/chat/x/stream", "consume"),
        ("/api/consume-stream?sessionId=12345678", "consume"),
        ("/api/sessions/12345678", "consume"),
        ("/api/read-stream", "consume"),
    ],
)
async def test_the_path_tells_the_services_apart(origin: Origin, path: str, service: str) -> None:
    port = {"generate": origin.generate_port, "consume": origin.consume_port}[service]
    async with Upstream(port) as upstream, await origin.client() as client:
        await client.ask(f"GET {path} HTTP/1.1")
        assert (await (await upstream.next()).head()).startswith(f"GET {path} ".encode())


async def test_where_it_does_not_the_method_does(origin: Origin) -> None:
    async with Upstream(origin.generate_port) as upstream, await origin.client() as client:
        await client.ask("DELETE /v1/responses/x HTTP/1.1")
        assert (await (await upstream.next()).head()).startswith(b"DELETE /v1/responses/x ")


UPGRADE = "GET /api/consume-stream?sessionId=x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\nX-It: %20"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


async def test_a_websocket_is_handed_through_as_it_is_and_its_service_told_who_asks(origin: Origin) -> None:
    async with Upstream(origin.consume_port) as upstream, await origin.client() as client:
        await client.ask(UPGRADE)
        service = await upstream.next()
        first, *lines = (await service.head()).decode().split("\r\n")
        asked, *headers = UPGRADE.split("\n")
        assert first == asked
        headers += ["Host: rejoin.example", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http"]
        assert sorted(line.lower() for line in lines) == sorted(line.lower() for line in headers)
        await service.send(SWITCHED)
        assert (await client.head()).startswith(b"HTTP/1.1 101")
        await client.send(b"there")
        assert await service.read(5) == b"there"
        await service.send(b"back")
        assert await client.read(4) == b"back"
        await service.close()
        assert await client.rest() == b""


async def test_who_leaves_a_websocket_or_is_left_is_gone_on_the_other_side(mortal_origin: Origin) -> None:
    async with Upstream(mortal_origin.consume_port) as upstream, await mortal_origin.client() as client:
        async with await mortal_origin.client() as other:
            await other.ask(UPGRADE)
            service = await upstream.next()
            await service.head()
        assert await service.rest() == b""
        await client.ask(UPGRADE)
        service = await upstream.next()
        await service.head()
        mortal_origin.process.send_signal(signal.SIGTERM)
        assert await service.rest() == await client.rest() == b""
    assert mortal_origin.process.wait(5) == 0
    assert "Traceback" not in mortal_origin.log.read_text()


async def test_a_websocket_whose_service_is_down_is_a_502(origin: Origin) -> None:
    async with await origin.client() as client:
        await client.ask(UPGRADE)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502")
    assert json.loads(body)["error"]["code"] == "bad_gateway"


@pytest.mark.parametrize("length", ["Transfer-Encoding: chunked", "Content-Length: 100"])
async def test_an_answer_that_breaks_off_is_cut_and_not_ended(origin: Origin, length: str) -> None:
    async with Upstream(origin.consume_port) as upstream, await origin.client() as client:
        await client.ask("GET /api/consume-stream HTTP/1.1")
        service = await upstream.next()
        await service.head()
        await service.send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n5\r\nhello\r\n".encode())
        await client.head()
        await service.close()
        assert await client.rest() == b"5\r\nhello\r\n"
    until(lambda: "broke off" in origin.log.read_text(), 20, "a word of it in the log")
    assert "Traceback" not in origin.log.read_text()
    assert "ASGI" not in origin.log.read_text()


@pytest.mark.parametrize("moment", ["before the answer", "in mid-answer", "in mid-request"])
async def test_a_client_that_leaves_takes_its_request_along(origin: Origin, moment: str) -> None:
    async with Upstream(origin.generate_port) as upstream:
        async with await origin.client() as client:
            length = 3 if moment != "in mid-request" else 100
            await client.ask(f"POST /api/generate-stream HTTP/1.1\nContent-Length: {length}", b"abc")
            service = await upstream.next()
            await service.head()
            await service.read(3)
            if moment == "in mid-answer":
                await service.send(CHUNKED)
                await client.head()
        assert await service.rest() == b""
    assert "Traceback" not in origin.log.read_text()


async def test_a_service_that_is_down_is_a_502_that_says_when_to_come_back(origin: Origin) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{origin.port}", trust_env=False, verify=False) as client:
        answer = await client.get("/api/models")
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "bad_gateway"
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_service_that_hangs_up_before_it_answers_is_a_502(origin: Origin) -> None:
    async with Upstream(origin.generate_port) as upstream, await origin.client() as client:
        await client.ask("GET /api/models HTTP/1.1")
        service = await upstream.next()
        await service.head()
        await service.close()
        assert (await client.head()).startswith(b"HTTP/1.1 502")


async def test_when_it_ends_open_answers_are_cut_at_once(mortal_origin: Origin) -> None:
    async with Upstream(mortal_origin.consume_port) as upstream, await mortal_origin.client() as client:
        await client.ask("GET /api/consume-stream HTTP/1.1")
        service = await upstream.next()
        await service.head()
        await service.send(CHUNKED)
        await client.head()
        mortal_origin.process.send_signal(signal.SIGTERM)
        assert await client.rest() == b""
        assert await service.rest() == b""
    assert mortal_origin.process.wait(5) == 0
    assert "Traceback" not in mortal_origin.log.read_text()


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/pyproject.toml", "/..%2fpyproject.toml", "//etc/passwd"]
)
async def test_nothing_but_the_page_is_served(origin: Origin, path: str) -> None:
    async with await origin.client() as client:
        await client.ask(f"GET {path} HTTP/1.1\nConnection: close")
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert json.loads(body)["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/api/models", "/"])
async def test_every_answer_of_its_own_has_the_headers_of_the_services_or_of_the_page(
    origin: Origin, path: str
) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{origin.port}", trust_env=False, verify=False) as client:
        told = [(name.lower(), value) for name, value in (await client.get(path)).headers.multi_items()]
    wanted = {name.decode(): value.decode() for name, value in secured([])}
    if path == "/":
        wanted |= {"cache-control": "no-cache"} | {name.lower(): value for name, value in _HEADERS.items()}
    assert wanted.items() <= set(told)
    assert len({name for name, _ in told}) == len(told)


async def test_an_answer_that_is_handed_on_keeps_its_own_headers(origin: Origin) -> None:
    async with Upstream(origin.generate_port) as upstream, await origin.client() as client:
        await client.ask("GET /api/models HTTP/1.1")
        service = await upstream.next()
        await service.head()
        await service.send(b"HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Length: 0\r\n\r\n")
        head = (await client.head()).lower()
    assert head.count(b"cache-control: ") == head.count(b"cache-control: private") == 1


async def test_the_page_is_asked_for_anew_each_time_and_sent_when_it_changed(origin: Origin) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{origin.port}", trust_env=False, verify=False) as client:
        page = await client.get("/")
        assert page.headers["Cache-Control"] == "no-cache"
        again = await client.get("/", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304
