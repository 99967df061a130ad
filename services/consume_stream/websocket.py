"""A subscription as a WebSocket: each frame is a message; an answer's end, and nothing else, closes it with 1000."""

import asyncio
import contextlib
import json
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from services.consume_stream import frames
from services.consume_stream.admission import Admitted
from services.consume_stream.sse import LAST_WORD_S, Pings
from services.consume_stream.subscription import Broken, Reset, Revoked
from shared import logs, server

_log = logging.getLogger(__name__)

_END, _NO_TEXT, _POLICY, _BROKEN = 1000, 1003, 1008, 1011
"""RFC 6455, 7.4.1. A cut is 1012: come back."""


class ViewerSocket:
    """The stream of one viewer, who may say `ping` and nothing else."""

    def __init__(self, socket: WebSocket, admitted: Admitted, ping_s: float | None) -> None:
        self._socket = socket
        self._subscription, self._right = admitted
        self._ping_s = ping_s
        """How often a page hears a sign of life, for pings of the protocol never reach it; None for never."""
        self._pinging: asyncio.Task[None] | None = None

    async def tell(self, pings: Pings) -> None:
        """Send messages until the end, the disconnect or the cut."""
        sending = asyncio.create_task(self._send_messages())
        pings.add(self)
        try:
            await self._hear()
        finally:
            pings.remove(self)
            over = [task for task in (sending, self._pinging) if task]
            for task in over:
                task.cancel()
            await asyncio.gather(*over, return_exceptions=True)

    def ping(self) -> None:
        """Send a ping, and a sign of life where one is wished for, unless the last one has not been taken yet."""
        server.ping(self._socket.scope)
        if self._ping_s is not None and (self._pinging is None or self._pinging.done()):
            self._pinging = asyncio.create_task(self._say(_json(ping=self._ping_s)))

    async def _hear(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                # Also of a close of ours, and of a cut.
                logs.note(close=message["code"])
                return
            if message.get("text") == "ping":
                await self._say(_json(pong=True))
            else:
                code = _NO_TEXT if message.get("text") is None else _POLICY
                await self._close(code, "a viewer says ping, or nothing")

    async def _send_messages(self) -> None:
        try:
            if self._ping_s is not None:
                await self._say(_json(ping=self._ping_s))
            async with (
                asyncio.timeout_at(self._right.deadline),
                contextlib.aclosing(self._subscription.batches()) as batches,
            ):
                async for batch in batches:
                    for message in (
                        frames.messages(frames.reset(batch.reason)) if isinstance(batch, Reset) else batch.messages
                    ):
                        await self._say(message)
            await self._close(_END)
        except Broken:
            await self._close(_BROKEN, "the log is gone")
        except (TimeoutError, Revoked) as over:
            code = "share_revoked" if isinstance(over, Revoked) else self._right.code
            await self._close(_POLICY, code, *frames.messages(frames.unauthorized(code)))
        except Exception:  # noqa: BLE001 - a client must hear of it: it comes back and goes on
            _log.exception("a viewer's stream broke")
            await self._close(_BROKEN)

    async def _say(self, message: str) -> None:
        # To who has gone, or was told that this is the end, nothing is said any more.
        with contextlib.suppress(WebSocketDisconnect):
            if self._socket.application_state is WebSocketState.CONNECTED:
                await self._socket.send_text(message)

    async def _close(self, code: int, reason: str = "", *last_words: str) -> None:
        """Close it, after what is still to be said. A client that takes nothing is cut all the same."""
        with contextlib.suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(None if code == _END else LAST_WORD_S):
                for message in last_words:
                    await self._say(message)
                if self._socket.application_state is WebSocketState.CONNECTED:
                    await self._socket.close(code, reason)
                return
        server.cut(self._socket.scope)


def _json(**told: float | bool) -> str:
    return json.dumps(told, separators=(",", ":"))
