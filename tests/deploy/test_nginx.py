"""The nginx that is shipped hands on what it gets, as it comes, once; a cut stays a cut, in HTTP/2 too."""

import asyncio
import contextlib
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from deploy import origin
from deploy.leash import Leash
from deploy.page import DIST
from shared.access.headers import secured
from tests.deploy.upstream import Client, Side, Upstream
from tests.nginx import Nginx
from tests.ports import free_port
from tests.processes import until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("page")]

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGEST = 16_777_216 * 6 + 64 * 1024
"""A prompt of REJOIN_PROMPT_MAX_BYTES at its most, escaped, and what is around it."""


class House(Nginx):
    """nginx in front of two generate-streams and one consume-stream, which a test plays."""

    def __init__(self, leash: Leash, directory: Path, *, tls: bool = True, trusted: str = "") -> None:
        self.generate_port, self.other_port, self.consume_port = free_port(), free_port(), free_port()
        places = [f"127.0.0.1:{port}" for port in (self.generate_port, self.other_port)]
        consume = [f"127.0.0.1:{self.consume_port}"]
        super().__init__(leash, directory, places, consume, tls=tls, REJOIN_TRUSTED_PROXIES=trusted)

    async def client(self) -> Client:
        """A connection to it."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        return TlsClient(*await asyncio.open_connection("127.0.0.1", self.port, ssl=context))

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class TlsClient(Client):
    """A client that speaks HTTP/1.1 over TLS."""

    async def close(self) -> None:
        """Be gone, without the farewell that TLS has: the other side may have more to say."""
        self._writer.transport.abort()


@pytest.fixture
def house(leash: Leash, tmp_path: Path) -> Iterator[House]:
    with House(leash, tmp_path) as running:
        yield running


class Pair(NamedTuple):
    """Two generate-streams that a test plays, and nginx in front."""

    house: House
    one: Upstream
    other: Upstream


@pytest.fixture
async def pair(house: House) -> AsyncIterator[Pair]:
    async with Upstream(house.generate_port) as one, Upstream(house.other_port) as other:
        yield Pair(house, one, other)


@contextlib.asynccontextmanager
async def http2(house: House, path: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A GET in HTTP/2, whose body comes as it comes."""
    curl = shutil.which("curl")
    assert curl, "curl is not on this machine"
    command = [curl, "-sN", "--http2", "--cacert", str(house.certificate), "-w", "%{stderr}%{http_version}"]
    process = await asyncio.create_subprocess_exec(*command, house.url + path, stdout=-1, stderr=-1)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def first(one: Upstream, other: Upstream) -> AsyncIterator[tuple[Side, asyncio.Task[Side]]]:
    """Who was asked first, and a task that waits for whoever is asked next."""
    asking = {asyncio.create_task(one.next()), asyncio.create_task(other.next())}
    done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    (second,) = waiting
    try:
        yield done.pop().result(), second
    finally:
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


@pytest.mark.parametrize("path", ["/", "/index.html", "/rejoin.js", "/icon.svg"])
async def test_the_page_comes_with_the_same_headers_as_in_the_local_run(house: House, path: str) -> None:
    async with httpx2.AsyncClient(verify=house.trust) as client:
        response = await client.get(house.url + path)
    assert response.status_code == 200
    assert set(origin._HEADERS.items()) <= set(titled(response))
    assert response.headers["Cache-Control"] == "no-cache"
    # Its own certificate is nobody's word: a browser that must not doubt it could not be told otherwise for a year.
    assert "Strict-Transport-Security" not in response.headers


def titled(response: httpx2.Response) -> list[tuple[str, str]]:
    """All its headers, each as often as it stands there, in the usual spelling."""
    return [(name.title().replace("-X-", "-x-"), value) for name, value in response.headers.multi_items()]


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/api/models", "/api/consume-stream"])
async def test_what_it_answers_itself_has_the_headers_of_the_services(house: House, path: str) -> None:
    async with httpx2.AsyncClient(verify=house.trust) as client:
        response = await client.get(house.url + path)
        plain = await client.get(house.plain_url + path)
    own = {(name.decode().title(), value.decode()) for name, value in secured([])}
    assert own <= set(titled(response))
    assert own <= set(titled(plain))


async def test_a_certificate_that_somebody_vouches_for_is_asked_for_from_then_on(leash: Leash, tmp_path: Path) -> None:
    vouched_for(tmp_path / "tls")
    with House(leash, tmp_path) as house:
        async with httpx2.AsyncClient(verify=False) as client, Upstream(house.consume_port) as upstream:
            answers = [await client.get(house.url + path) for path in ("/", "/nothing", "/healthz", "/api/models")]
            asking = asyncio.create_task(client.get(f"{house.url}/api/sessions/x"))
            service = await upstream.next()
            await service.head()
            await service.send(b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n")
            answers.append(await asking)
            in_clear = await client.get(house.plain_url)
    for answer in answers:
        assert [value for name, value in titled(answer) if name == "Strict-Transport-Security"] == ["max-age=31536000"]
    assert answers[-1].headers.get_list("Cache-Control") == ["no-store"]
    assert "Strict-Transport-Security" not in in_clear.headers


def vouched_for(directory: Path) -> None:
    """A certificate of an authority's, for nginx to find."""
    directory.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    authority = ["-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt"]
    signed = ["-x509", "-CA", "ca.crt", "-CAkey", "ca.key", "-subj", "/CN=localhost", "-keyout", "tls.key"]
    for more in (authority, [*signed, "-out", "tls.crt"]):
        subprocess.run(["openssl", "req", *key, *more], cwd=directory, check=True, capture_output=True)


async def test_files_whose_names_carry_a_version_stay_with_the_browser(house: House) -> None:
    asset = next(path for path in (DIST / "assets").iterdir() if path.suffix == ".js")
    async with httpx2.AsyncClient(verify=house.trust) as client:
        response = await client.get(f"{house.url}/assets/{asset.name}")
        page = await client.get(house.url)
        again = await client.get(house.url, headers={"If-None-Match": page.headers["ETag"]})
    assert response.content == asset.read_bytes()
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert set(origin._HEADERS.items()) <= set(titled(response))
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/../nginx.conf", "/%2e%2e/nginx.conf", "/..%2fnginx.conf", "/nothing", "/assets/"])
async def test_nothing_but_the_page_is_served(house: House, path: str) -> None:
    async with await house.client() as client:
        await client.ask(f"GET {path} HTTP/1.1\nConnection: close")
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"worker" not in body


@pytest.mark.parametrize("path", ["/api/consume-stream?sessionId=12345678", "/api/sessions/a%2Fb;c?x=%20+&&z",
                                  "/api/read-stream", "/api/consume-stream/more", "/api/chat/x/stream",
                                  "/api/chat/x/messages", "/v1/responses/x?stream=true", "/v1/responses/x/input_items",
                                  "/v1/chat/completions/x"])  # fmt: skip
async def test_what_reads_goes_to_consume_stream_as_it_was_asked(house: House, path: str) -> None:
    assert origin.is_read("GET", path)
    async with Upstream(house.consume_port) as upstream, await house.client() as client:
        await client.ask(f"GET {path} HTTP/1.1\nLast-Event-ID: 1-2\nAuthorization: Bearer x\nX-Request-ID: abc")
        head = (await (await upstream.next()).head()).decode()
    assert head.startswith(f"GET {path} HTTP/1.1\r\n")
    assert {"Last-Event-ID: 1-2", "Authorization: Bearer x", "X-Request-ID: abc"} <= set(head.split("\r\n"))


@pytest.mark.parametrize(
    "asked",
    [
        "GET /api/generate-stream", "GET /api/models", "GET /v1/models", "GET /api/sessions", "GET /api",
        "POST /v1/chat/completions", "POST /api/chat", "POST /api/chat/x/stop", "GET /api/chat/x/stream/more",
        "POST /v1/responses", "DELETE /v1/responses/x", "POST /v1/responses/x/cancel", "OPTIONS /v1/responses/x",
    ],
)  # fmt: skip
async def test_everything_else_goes_to_generate_stream(pair: Pair, asked: str) -> None:
    assert not origin.is_read(*asked.split())
    async with await pair.house.client() as client:
        await client.ask(f"{asked} HTTP/1.1\nContent-Length: 0")
        async with first(pair.one, pair.other) as (service, _):
            assert (await service.head()).startswith(f"{asked} ".encode())


async def test_the_service_is_told_who_asks_and_how(house: House) -> None:
    async with Upstream(house.consume_port) as upstream, await house.client() as client:
        await client.ask("GET /api/consume-stream HTTP/1.1\nX-Forwarded-For: 192.0.2.1\nX-Real-IP: 192.0.2.1")
        head = (await (await upstream.next()).head()).decode().split("\r\n")
    said = {"Host: rejoin.example", "X-Forwarded-Proto: https", "X-Forwarded-Host: rejoin.example"}
    assert said <= set(head)
    assert [line for line in head if line.startswith("X-Forwarded-For: ")] == ["X-Forwarded-For: 127.0.0.1"]


async def test_whom_a_trusted_proxy_names_is_the_client_and_nobody_before(leash: Leash, tmp_path: Path) -> None:
    with House(leash, tmp_path, tls=False, trusted="127.0.0.1, 10.0.0.0/8") as house:
        async with Upstream(house.consume_port) as upstream, await Client.connect(house.port) as client:
            forged = "X-Forwarded-For: 127.0.0.1, 198.51.100.7\nX-Forwarded-For: 192.0.2.1, 10.1.2.3"
            await client.ask(f"GET /api/consume-stream HTTP/1.1\n{forged}")
            head = (await (await upstream.next()).head()).decode().split("\r\n")
    assert [line for line in head if line.startswith("X-Forwarded-For: ")] == ["X-Forwarded-For: 192.0.2.1"]


async def test_a_websocket_is_handed_through(house: House) -> None:
    async with Upstream(house.consume_port) as upstream, await house.client() as client:
        await client.ask("GET /api/consume-stream HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket")
        service = await upstream.next()
        assert {b"Connection: upgrade", b"Upgrade: websocket"} <= set((await service.head()).split(b"\r\n"))
        await service.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 101")
        await client.send(b"there")
        assert await service.read(5) == b"there"
        await service.send(b"back")
        assert await client.read(4) == b"back"


async def test_each_piece_of_an_answer_passes_before_the_next_is_written(house: House) -> None:
    async with Upstream(house.consume_port) as upstream, await house.client() as client:
        await client.ask("GET /api/consume-stream?sessionId=12345678 HTTP/1.1\nAccept-Encoding: gzip")
        service = await upstream.next()
        await service.head()
        await service.send(CHUNKED)
        assert b"content-encoding" not in (await client.head()).lower()
        for piece in (b": ping\n", b"data: 1\n\n", b"data: 2\n\n"):
            framed = b"%x\r\n%s\r\n" % (len(piece), piece)
            await service.send(framed)
            assert await client.read(len(framed)) == framed


async def test_so_does_it_in_http2_and_its_end_is_an_end(house: House) -> None:
    async with Upstream(house.consume_port) as upstream, http2(house, "/api/consume-stream") as client:
        service = await upstream.next()
        await service.head()
        await service.send(CHUNKED)
        assert client.stdout
        for piece in (b": ping\n", b"data: 1\n\n", b"data: 2\n\n"):
            await service.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            async with asyncio.timeout(20):
                assert await client.stdout.readexactly(len(piece)) == piece
        await service.send(b"0\r\n\r\n")
        _, said = await client.communicate()
    assert (client.returncode, said) == (0, b"2")


async def test_an_answer_that_breaks_off_is_cut_and_not_ended(house: House) -> None:
    async with Upstream(house.consume_port) as upstream, await house.client() as client:
        await client.ask("GET /api/consume-stream HTTP/1.1")
        service = await upstream.next()
        await service.head()
        await service.send(CHUNKED + b"5\r\nhello\r\n")
        await client.head()
        await service.close()
        assert await client.rest() == b"5\r\nhello\r\n"


async def test_so_is_it_in_http2(house: House) -> None:
    async with Upstream(house.consume_port) as upstream, http2(house, "/api/consume-stream") as client:
        service = await upstream.next()
        await service.head()
        await service.send(CHUNKED + b"5\r\nhello\r\n")
        assert client.stdout
        assert await client.stdout.readexactly(5) == b"hello"
        await service.close()
        await client.communicate()
    assert client.returncode != 0


async def test_a_viewer_that_leaves_is_gone_for_the_service_too(house: House) -> None:
    async with Upstream(house.consume_port) as upstream:
        async with http2(house, "/api/consume-stream"):
            service = await upstream.next()
            await service.head()
            await service.send(CHUNKED)
        assert await service.rest() == b""


async def test_each_piece_of_a_prompt_passes_at_once_and_none_lies_on_a_disk(house: House) -> None:
    async with Upstream(house.generate_port) as upstream, await house.client() as client:
        await client.ask("POST /api/generate-stream HTTP/1.1\nContent-Length: 6", b"abc")
        service = await upstream.next()
        await service.head()
        assert await service.read(3) == b"abc"
        await client.send(b"def")
        assert await service.read(3) == b"def"
    assert not list((house.directory / "body").iterdir())


async def test_the_largest_prompt_that_a_service_may_take_reaches_it(house: House) -> None:
    async with Upstream(house.generate_port) as upstream, await house.client() as client:
        await client.ask(f"POST /api/generate-stream HTTP/1.1\nContent-Length: {LARGEST}", b"abc")
        assert f"content-length: {LARGEST}" in (await (await upstream.next()).head()).decode().lower()


async def test_a_post_that_has_left_is_never_sent_again(pair: Pair) -> None:
    async with await pair.house.client() as client:
        await client.ask("POST /api/generate-stream HTTP/1.1\nContent-Length: 3", b"abc")
        async with first(pair.one, pair.other) as (service, second):
            await service.head()
            await service.close()
            assert (await client.head()).startswith(b"HTTP/1.1 502")
            assert not second.done()


async def test_a_post_that_was_refused_the_connection_goes_to_another(house: House) -> None:
    async with Upstream(house.other_port) as other:
        for _ in range(2):
            async with await house.client() as client:
                await client.ask("POST /api/generate-stream HTTP/1.1\nContent-Length: 3", b"abc")
                service = await other.next()
                await service.head()
                assert await service.read(3) == b"abc"
                await service.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                assert (await client.head()).startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 503 Draining\r\nContent-Length: 0\r\n\r\n"])
async def test_what_only_reads_goes_to_another_when_it_was_refused_or_broke_off(pair: Pair, answer: bytes) -> None:
    async with await pair.house.client() as client:
        await client.ask("GET /api/models HTTP/1.1")
        async with first(pair.one, pair.other) as (service, second):
            await service.head()
            await service.send(answer)
            await service.close()
            await (await second).head()
            await second.result().send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            assert (await client.head()).startswith(b"HTTP/1.1 200")


async def test_a_refusal_keeps_the_words_of_the_service(pair: Pair) -> None:
    async with await pair.house.client() as client:
        await client.ask("POST /api/generate-stream HTTP/1.1\nContent-Length: 0")
        async with first(pair.one, pair.other) as (service, second):
            await service.head()
            await service.send(b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nfull")
            assert b"Retry-After: 7" in await client.head()
            assert await client.read(4) == b"full"
            assert not second.done()


async def test_a_service_that_is_down_is_a_502_that_says_when_to_come_back(house: House) -> None:
    async with httpx2.AsyncClient(verify=house.trust) as client:
        response = await client.get(f"{house.url}/api/consume-stream")
    assert (response.status_code, response.json()["error"]["code"]) == (502, "bad_gateway")
    assert int(response.headers["Retry-After"]) > 0


async def test_in_clear_a_person_is_sent_on_and_a_program_is_refused(house: House) -> None:
    async with httpx2.AsyncClient(verify=False) as client:
        page = await client.get(f"{house.plain_url}/a?b")
        api = await client.post(f"{house.plain_url}/api/generate-stream", json={"prompt": "in clear"})
    assert (page.status_code, page.headers["Location"]) == (308, f"{house.url}/a?b")
    assert (api.status_code, api.json()["error"]["code"]) == (403, "https_required")


async def test_without_tls_all_is_served_in_clear(leash: Leash, tmp_path: Path) -> None:
    with House(leash, tmp_path, tls=False) as house:
        async with httpx2.AsyncClient(verify=False) as client, Upstream(house.consume_port) as upstream:
            assert (await client.get(house.plain_url)).status_code == 200
            asking = asyncio.create_task(
                client.get(f"{house.plain_url}/api/sessions/x", headers={"X-Forwarded-Proto": "https"})
            )
            service = await upstream.next()
            assert b"X-Forwarded-Proto: https" in await service.head()
            await service.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            assert (await asking).status_code == 200


async def test_the_log_knows_neither_session_nor_prompt(house: House) -> None:
    async with httpx2.AsyncClient(verify=house.trust) as client:
        await client.post(f"{house.url}/api/generate-stream", json={"prompt": "a secret prompt"})
        await client.get(f"{house.url}/api/consume-stream?sessionId=a-secret-session&lastEventId=1-1")
        await client.get(f"{house.url}/api/%73essions/a-secret-session")
        cookie = {"Cookie": "__Host-rejoin=a-secret-token", "Authorization": "Bearer a-secret-token"}
        await client.get(f"{house.url}/api/consume-stream?share=a-secret-share", headers=cookie)
        # A name that is too long for a file system is one of the few things that nginx may call critical.
        await client.get(f"{house.url}/{'a' * 300}?share=a-secret-share", headers=cookie)
        await client.get(f"{house.url}/?share=a-secret-share", headers={**cookie, "X": "x" * 40_000})

    async def told() -> list[dict[str, str]]:
        lines = [json.loads(line) for line in house.access_log.read_text().splitlines()]
        return lines if len(lines) == 6 else []

    # nginx writes a line when it is done with a request, which may be after its client is.
    lines = await until(told, 20)
    stream = "/api/consume-stream"
    asked = ["/api/generate-stream", stream, "/api/sessions/-", stream, f"/{'a' * 300}", "/"]
    assert [line["path"] for line in lines] == asked
    assert lines[1]["service"] == f"127.0.0.1:{house.consume_port}"
    assert "secret" not in house.access_log.read_text() + house.log.read_text()


async def test_a_reload_leaves_what_is_open_and_a_stop_cuts_it_at_once(house: House) -> None:
    other = free_port()
    async with Upstream(house.consume_port) as old, Upstream(other) as new, await house.client() as client:
        await client.ask("GET /api/consume-stream HTTP/1.1")
        service = await old.next()
        await service.head()
        await service.send(CHUNKED)
        await client.head()
        await asyncio.to_thread(house.reload, [f"127.0.0.1:{house.generate_port}"], [f"127.0.0.1:{other}"])
        await service.send(b"1\r\na\r\n")
        assert await client.read(6) == b"1\r\na\r\n"
        async with await house.client() as later:
            await later.ask("GET /api/consume-stream HTTP/1.1")
            await (await new.next()).head()
            await asyncio.to_thread(house.stop)
            assert await client.rest() == b""
