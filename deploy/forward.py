"""Forward: one HTTP request handed on to a service, and its response handed back, byte by byte as it comes."""

import logging
from collections.abc import AsyncIterator, Iterable

import anyio
import httpx2
from starlette.datastructures import URL
from starlette.types import Receive, Scope, Send

from shared.http import ApiError, error_response
from shared.logs import warning
from shared.server import cut

_log = logging.getLogger(__name__)

_CONNECT_S = 5.0
# What belongs to one connection and not to the message (RFC 9110, 7.6.1); `expect` was answered by our own server.
_HOP_BY_HOP = frozenset(
    b"connection expect keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)

Header = tuple[bytes, bytes]


class Forward:
    """An ASGI application that answers as the service at `address` does.

    It works on the transport below a client: a client would keep cookies, follow redirects and decompress.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        # A connection is used once: a service closes an idle one whenever it likes, and a POST that meets that moment
        # could not be sent again. There is no limit on their number, because a viewer holds one for hours.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
        self._transport = httpx2.AsyncHTTPTransport(verify=False, trust_env=False, limits=limits)
        self._open: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send)
        async with anyio.create_task_group() as tasks:
            self._open.add(tasks.cancel_scope)
            tasks.start_soon(exchange.leave_with_client, tasks.cancel_scope)
            try:
                await exchange.run(self._transport, self._address)
            finally:
                self._open.discard(tasks.cancel_scope)
            tasks.cancel_scope.cancel()
        if not exchange.is_whole:
            # Broken off by the service, or by a drain: no clean end in the middle of an answer.
            cut(scope)
            await _end_of_client(receive)

    def cut_all(self) -> None:
        """Break off what is open, so that nobody waits for an answer that can't come."""
        for scope in list(self._open):
            scope.cancel()

    async def close(self) -> None:
        """Close the connections to the service."""
        await self._transport.aclose()


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.is_whole = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        self._sent_up = anyio.Event()
        if not self._has_body:
            self._sent_up.set()

    async def run(self, transport: httpx2.AsyncHTTPTransport, address: str) -> None:
        """Ask the service and pass on what it says. An answer that breaks off leaves `is_whole` false."""
        try:
            response = await transport.handle_async_request(self._request(address))
        except _ClientLeft:
            return
        except httpx2.TransportError as error:
            await self._refuse(error)
            return
        try:
            await self._pass_on(response)
        except httpx2.TransportError as error:
            warning(_log, "a response broke off", path=self._scope["path"], cause=repr(error))
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def leave_with_client(self, scope: anyio.CancelScope) -> None:
        """Cancel the exchange when the client has gone: nobody reads on behalf of nobody."""
        # Until the body is through, its reader hears of the client's end.
        await self._sent_up.wait()
        await _end_of_client(self._receive)
        scope.cancel()

    def _request(self, address: str) -> httpx2.Request:
        scope = self._scope
        query = scope["query_string"]
        # As the client wrote it: a service sees the very bytes that it would see without us.
        target = scope["raw_path"] + (b"?" + query if query else b"")
        return httpx2.Request(
            scope["method"],
            address,
            headers=[*_end_to_end(scope["headers"]), *_told(scope)],
            content=self._body() if self._has_body else None,
            extensions={"target": target, "timeout": {"connect": _CONNECT_S}},
        )

    async def _body(self) -> AsyncIterator[bytes]:
        try:
            more = True
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise _ClientLeft
                more = message["more_body"]
                yield message["body"]
        finally:
            self._sent_up.set()

    async def _pass_on(self, response: httpx2.Response) -> None:
        headers = [(name, value) for name, value in _end_to_end(response.headers.raw) if name.lower() != b"date"]
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        async for part in response.stream:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self.is_whole = True

    async def _refuse(self, error: httpx2.TransportError) -> None:
        if isinstance(error, httpx2.LocalProtocolError):
            refusal = ApiError(400, "bad_request", "This request can't be handed on.")
        else:
            warning(_log, "a service is out of reach", path=self._scope["path"], cause=repr(error))
            refusal = ApiError(502, "bad_gateway", "The service behind this address is out of reach.", retry=True)
        await error_response(refusal, URL(scope=self._scope))(self._scope, self._receive, self._send)
        self.is_whole = True


def _told(scope: Scope) -> Iterable[Header]:
    """Who asks, after those whom the request names already; and how, unless who stands before us has said it."""
    if scope["client"]:
        yield b"x-forwarded-for", scope["client"][0].encode()
    if not any(name == b"x-forwarded-proto" for name, _ in scope["headers"]):
        yield b"x-forwarded-proto", scope["scheme"].encode()


class _ClientLeft(Exception):
    """The client ended the connection in the middle of its own request."""


async def _end_of_client(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _end_to_end(headers: Iterable[Header]) -> list[Header]:
    """Without what is of one hop, by its name or because `Connection` names it."""
    kept = list(headers)
    named = b",".join(value for name, value in kept if name.lower() == b"connection")
    dropped = _HOP_BY_HOP | {token.strip().lower() for token in named.split(b",")}
    return [(name, value) for name, value in kept if name.lower() not in dropped]
