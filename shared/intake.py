"""HTTP as it comes in over one connection: how much of a request there may be, and how long it may take."""

import asyncio
import enum
import json
from collections.abc import Callable, Mapping
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.access.headers import secured
from shared.metrics import HTTP_ERRORS

_HEAD_S = 10.0
_BODY_S = 15.0
"""More than a route takes for it: that one has better words."""
_HEAD_MAX_BYTES = 32 * 1024
_LINES_MAX = 100
_TARGET_MAX_BYTES = 8 * 1024
_QUEUED_MAX = 8
"""Requests that wait on one connection for the answer to an earlier one."""

_LINGER_S = 2.0


class _Part(enum.Enum):
    """What the connection is in the middle of."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class _Refused(Exception):
    """A request that is not taken: status, code, a message for people."""


Upgrade = Callable[..., asyncio.Protocol]
"""Called with `config`, `server_state` and `app_state`; what it makes gets the transport, and the request's head."""


class Intake(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits to what a client sends.

    It has no task and, once a request is there, no timer: a response may take hours.
    """

    # uvicorn's own attributes and these would be more than Python keeps in a shared dictionary: 1.5 KB for each viewer.
    __slots__ = ("_head_bytes", "_is_deaf", "_lines", "_part", "_timer", "_unheard_bytes", "_was_heard")

    upgrades: ClassVar[Mapping[bytes, Upgrade]] = {}
    """What a WebSocket's connection goes on with, by its path."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._part = _Part.NOTHING
        self._lines = self._head_bytes = self._unheard_bytes = 0
        self._was_heard = self._is_deaf = False
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(_HEAD_S, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        self._was_heard = False
        try:
            self.parser.feed_data(data)
            # The parser keeps an unfinished line, of a head or behind a body, and says nothing of it.
            self._unheard_bytes = 0 if self._was_heard else self._unheard_bytes + len(data)
            _limit_head(self._unheard_bytes)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return
            # Else only HTTP/1 is spoken here, in which the request is answered; what follows it is something else.
            self.cycle.keep_alive = False
            self._is_deaf = True
            if not self._is_answering:
                self.transport.close()
        except (httptools.HttpParserError, _Refused) as error:
            cause = error if isinstance(error, _Refused) else error.__context__
            known = cause.args if isinstance(cause, _Refused) else (400, "bad_request", "This is not HTTP.")
            self._refuse(*known)
        self._start_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self.cycle:
            self._stop_timer()
        self._part, self._was_heard = _Part.HEAD, True
        self._lines = self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > _TARGET_MAX_BYTES:
            raise _Refused(414, "uri_too_long", f"The target takes {_TARGET_MAX_BYTES} bytes at most.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        _limit_head(self._head_bytes, self._lines)
        # Behind the body it is no header: who asks and from where was settled by then.
        if self._part is _Part.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) == _QUEUED_MAX:
            raise _Refused
        self.ws_protocol_class = self._upgrade()  # type: ignore[assignment]
        super().on_headers_complete()
        self._stop_timer()
        self._part = _Part.BODY

    def on_body(self, body: bytes) -> None:
        self._was_heard = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_timer()
        self._part = _Part.NOTHING

    def on_response_complete(self) -> None:
        if self._is_deaf:
            self.pipeline.clear()
        super().on_response_complete()
        if self._is_deaf:
            self.transport.close()

    def _upgrade(self) -> Upgrade | None:
        # The handshake is a GET of HTTP/1.1, and comes on a connection that owes nobody an answer.
        if self._is_answering or self.parser.get_method() != b"GET" or self.parser.get_http_version() != "1.1":
            return None
        return self.upgrades.get(self.url.partition(b"?")[0])

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_timer(self) -> None:
        if self._timer or self._is_deaf or self.transport.is_closing():
            return
        if self._part is _Part.BODY:
            self._timer = self.loop.call_later(_BODY_S, self._late)
        elif self._part is _Part.HEAD or not self._is_answering:
            self._timer = self.loop.call_later(_HEAD_S, self._late)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self._part is _Part.NOTHING:
            self.transport.close()
            return
        what, limit_s = ("head", _HEAD_S) if self._part is _Part.HEAD else ("body", _BODY_S)
        self._refuse(408, "request_timeout", f"The {what} of the request did not come within {limit_s:g} s.")

    def _refuse(self, status: int = 400, code: str = "bad_request", message: str = "") -> None:
        """Hear no more of this client. An answer to an earlier request is not touched, and is the last one."""
        if self.transport.is_closing():
            return
        self._is_deaf = True
        self._stop_timer()
        in_body = self._part is _Part.BODY
        if self._is_answering and (self.pipeline or not in_body):
            return
        if in_body and self.cycle.response_started:
            self._break_off()
            return
        if in_body:
            # Nor is there anybody left to be told to go on.
            self.cycle.waiting_for_100_continue = False
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        HTTP_ERRORS.labels(code).inc()
        self.transport.write(answer(status, code, message, self.server_state.default_headers))
        # Not closed while the client still sends: a reset would overtake the answer.
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.abort)

    def _break_off(self) -> None:
        """End the connection in the middle of a response."""
        self.transport.abort()


def _limit_head(size: int, lines: int = 0) -> None:
    if size > _HEAD_MAX_BYTES or lines > _LINES_MAX:
        limits = f"{_HEAD_MAX_BYTES} bytes and {_LINES_MAX} lines"
        raise _Refused(431, "headers_too_large", f"The headers take {limits} at most.")


def answer(status: int, code: str, message: str, also: list[tuple[bytes, bytes]]) -> bytes:
    """A whole response that refuses a request, and is the last one of its connection."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    lines = [b"%s: %s\r\n" % header for header in (*also, *secured(own))]
    return b"".join([STATUS_LINE[status], *lines, b"\r\n", body])
