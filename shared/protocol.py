"""HTTP over one connection, from both sides: what may come in, and how a response is broken off or given up."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from shared.intake import Intake
from shared.unsent import FLUSH_S, drop_if_untaken, unsent_bytes

CUT = "rejoin.cut"
UNTAKEN = "rejoin.untaken"
PING = "rejoin.ping"


class Protocol(Intake):
    """What the services speak. ASGI itself has no word for breaking a response off."""

    __slots__ = ("_answered",)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._answered: RequestResponseCycle | None = None
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # Of pipelined requests uvicorn tells the newest alone. The one that is being answered would write to a closed
        # transport, and one that waits for the disconnect, as a viewer does, would wait for ever.
        if self._answered and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {CUT: self._break_off, UNTAKEN: self._untaken}
        self.scope["extensions"] = extensions

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # uvicorn closes the connection in time, but that waits for the peer to take what is left of the response.
        drop_if_untaken(self.transport)

    def _break_off(self) -> None:
        if self.scope["http_version"] == "1.0":
            # There the end of the connection is the end of the body: only a reset tells them apart.
            self.transport.abort()
            return
        self.transport.close()
        # close() waits for the peer to take what is buffered, and a dead peer never does.
        self.loop.call_later(FLUSH_S, self.transport.abort)

    def _untaken(self) -> int:
        if not self.flow.write_paused or self.transport.is_closing():
            return 0
        return unsent_bytes(self.transport)
