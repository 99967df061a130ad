"""WebSockets over one connection: uvicorn's protocol with limits to what a client sends, and ways to break it off."""

import asyncio
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidHeader
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import OPEN

from shared.intake import answer
from shared.metrics import HTTP_ERRORS
from shared.protocol import CUT, PING, UNTAKEN
from shared.unsent import FLUSH_S, drop_if_untaken, unsent_bytes

_FRAGMENTS_MAX = 8
_FRAMES_AT_ONCE_MAX = 100
"""In what is read at once, which may be 256 KiB: 40,000 frames without a word in them, and a second for all viewers."""
_SLICE_BYTES = 1024


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """What a connection goes on with after the request that asks for a WebSocket, which HTTP has taken by its limits.

    While the peer does not take what is sent, nothing more of it is heard: pings would gather pongs here.
    """

    transport: asyncio.Transport
    _heard = 0

    def data_received(self, data: bytes) -> None:
        self._heard = 0
        for at in range(0, len(data), _SLICE_BYTES):
            if self.conn.eof_sent or self.transport.is_closing():
                break
            super().data_received(data[at : at + _SLICE_BYTES])
        if not self.handshake_initiated and not self.transport.is_closing():
            # It came whole, and the library has not taken it: a line is longer than it reads, for one.
            self._refuse()

    def handle_events(self) -> None:
        self._heard += len(self.conn.events)
        if self._heard > _FRAMES_AT_ONCE_MAX and not self.conn.eof_sent:
            self._fail(CloseCode.POLICY_VIOLATION, "too many frames at once")
        else:
            super().handle_events()

    def handle_connect(self, event: Request) -> None:
        if self.conn.accept(event).status_code != 101:
            self._refuse()
            return
        super().handle_connect(event)
        extensions: dict[str, Any] = {CUT: self._break_off, UNTAKEN: self._untaken, PING: self._ping}
        self.scope["extensions"] |= extensions
        # A client speaks after the accept, for which the application asks by receiving.
        self.read_paused = True
        self.transport.pause_reading()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) == _FRAGMENTS_MAX:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        elif not self.close_sent:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "not UTF-8")
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        assert self.conn.close_sent
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # What came with it is heard to its end, and pings in it are answered.
        self.loop.call_soon(self._end_writing)
        self._linger()

    def pause_writing(self) -> None:
        super().pause_writing()
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not (self.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def shutdown(self) -> None:
        # Who is still at the door is answered as every request is.
        if self.handshake_complete:
            super().shutdown()

    async def receive(self) -> Any:
        message = await super().receive()
        if not (self.writable.is_set() or self.transport.is_closing()):
            self.transport.pause_reading()
        return message

    async def send(self, message: Any) -> None:
        await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            # By a cut, too, of which the application hears later.
            raise ClientDisconnected
        await super().send(message)
        if self.close_sent:
            # A refusal is the end of a handshake as well, of which uvicorn would log that there was none.
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        await super().run_asgi()
        drop_if_untaken(self.transport)

    def _refuse(self) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        HTTP_ERRORS.labels("bad_handshake").inc()
        also = [*self.default_headers, (b"sec-websocket-version", b"13")]
        # By its name alone: some clients put a token into a header.
        wrong = self.conn.handshake_exc
        cause = f"{wrong.name} is missing or wrong" if isinstance(wrong, InvalidHeader) else wrong
        message = f"This is no handshake of a WebSocket: {cause}."
        self.transport.write(answer(400, "bad_handshake", message, also))
        self.transport.close()

    def _fail(self, code: CloseCode, reason: str) -> None:
        if not self.conn.eof_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def _end_writing(self) -> None:
        if not self.transport.is_closing():
            self.transport.write_eof()

    def _break_off(self) -> None:
        """Tell the peer to come back, and send nothing else."""
        if self.transport.is_closing():
            return
        if not self.handshake_complete:
            self.transport.close()
            return
        if not self.close_sent:
            self.close_sent = True
            self.conn.send_close(CloseCode.SERVICE_RESTART)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.queue.put_nowait({"type": "websocket.disconnect", "code": int(CloseCode.SERVICE_RESTART)})
        self._linger()

    def _linger(self) -> None:
        """Wait a moment for the peer's end, and drop what it still says: else a reset could be faster than our word."""
        self.read_paused = False
        if self.writable.is_set():
            self.transport.resume_reading()
        if self.close_timer:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(FLUSH_S, self.transport.abort)

    def _untaken(self) -> int:
        if self.writable.is_set() or self.transport.is_closing():
            return 0
        return unsent_bytes(self.transport)

    def _ping(self) -> None:
        if self.conn.state is OPEN and self.writable.is_set() and not self.transport.is_closing():
            self.conn.send_ping(b"")
            self.transport.write(b"".join(self.conn.data_to_send()))
