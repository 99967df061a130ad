"""One process of one service: uvicorn, with a drain before it closes and a way to cut a response."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Scope

from shared.intake import Upgrade
from shared.loop_lag import LoopLag
from shared.protocol import CUT, PING, UNTAKEN, Protocol

_log = logging.getLogger(__name__)

_GRACE_S = 5
_SPARE_FILES = 64
_GC_THRESHOLD = 10_000
"""Objects between two collections, instead of 700: one reply of Redis makes more than that."""
_MESSAGE_MAX_BYTES = 4096
"""A viewer has little to say."""
_NO_UPGRADES: Mapping[bytes, Upgrade] = {}


def cut(scope: Scope) -> None:
    """Break off the response of this request without its end, so that the client knows to come back.

    What has been written still leaves; a peer that does not take it within 2 s loses it.
    """
    close: Callable[[], None] | None = scope.get("extensions", {}).get(CUT)
    if close:
        close()


def untaken_bytes(scope: Scope) -> int:
    """How much of this request's response waits here, with all that is to follow, until its peer takes some of it."""
    size: Callable[[], int] | None = scope.get("extensions", {}).get(UNTAKEN)
    return size() if size else 0


def ping(scope: Scope) -> None:
    """Send the peer of this WebSocket a ping of the protocol, unless it has not taken yet what was sent before."""
    send: Callable[[], None] | None = scope.get("extensions", {}).get(PING)
    if send:
        send()


class _Server(uvicorn.Server):
    """Drains at the first SIGTERM or SIGINT while it still answers; a second one ends it at once."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lag: LoopLag | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What was loaded stays, the vendors' SDKs too, which the application loads at its start: a full collection
        # that walks over it (200,000 objects, 120 ms) would hold up every viewer.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, *gc.get_threshold()[1:])
        # From here on: what starting takes is nobody's wait.
        self._lag = LoopLag()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._lag:
            await self._lag.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del frame
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._leave, sig)

    def _leave(self, sig: int) -> None:
        if self._draining is None and self.started:
            _log.info("draining", extra={"fields": {"signal": signal.Signals(sig).name}})
            self._draining = asyncio.create_task(self._drain_then_exit())
            return
        self.should_exit = True
        self.force_exit = True

    async def _drain_then_exit(self) -> None:
        try:
            await self._drain()
        finally:
            self.should_exit = True


def run(
    app: ASGIApp,
    host: str,
    port: int,
    drain: Callable[[], Awaitable[None]],
    upgrades: Mapping[bytes, Upgrade] = _NO_UPGRADES,
) -> None:
    """Serve until a signal; then drain, close and return. Exits with one line when the port can't be had.

    `upgrades`: what a WebSocket's connection goes on with, by its path; elsewhere its request is one like any other.
    """

    class Serving(Protocol):
        pass

    Serving.upgrades = upgrades
    try:
        listening = socket.create_server((host, port), backlog=4096, family=_family(host))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        sys.exit(f"can't listen on {host}:{port}: {reason}")
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=Serving,
        ws="none",
        # Of a WebSocket. Compression would cost memory for each, and tell of what is secret by how long it gets.
        ws_max_size=_MESSAGE_MAX_BYTES,
        ws_per_message_deflate=False,
        # Whoever wants pings has them sent to all in turn, and not by a timer for each.
        ws_ping_interval=None,
        lifespan="on",
        # Of two requests in one write the second would begin with what the logs know of the first.
        reset_contextvars=True,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe about a client's address is a setting of ours, and nobody by default.
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    _log.info("listening", extra={"fields": {"host": host, "port": listening.getsockname()[1]}})
    server = _Server(config, drain)
    server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def allow_open_files(wanted: int) -> None:
    """Raise the limit of open files as far as it goes, and say so when it stays under `wanted` connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < wanted + _SPARE_FILES:
        fields = {"limit": hard, "wanted": wanted + _SPARE_FILES}
        _log.warning("the limit of open files (ulimit -Hn) is below what the settings allow", extra={"fields": fields})
