"""One process of one service: uvicorn, with a drain before it closes and a way to cut a response."""

import array
import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import resource
import signal
import socket
import sys
import termios
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.loop_lag import LoopLag

_log = logging.getLogger(__name__)

_CUT = "rejoin.cut"
_UNTAKEN = "rejoin.untaken"
_FLUSH_S = 2.0
_GRACE_S = 5
_SPARE_FILES = 64
_GC_THRESHOLD = 10_000
"""Objects between two collections, instead of 700: one reply of Redis makes more than that."""


def cut(scope: Scope) -> None:
    """Break off the response of this request without its end, so that the client knows to come back.

    What has been written still leaves; a peer that does not take it within 2 s loses it.
    """
    close: Callable[[], None] | None = scope.get("extensions", {}).get(_CUT)
    if close:
        close()


def untaken_bytes(scope: Scope) -> int:
    """How much of this request's response waits here, with all that is to follow, until its peer takes some of it."""
    size: Callable[[], int] | None = scope.get("extensions", {}).get(_UNTAKEN)
    return size() if size else 0


class _CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol; ASGI itself has no word for breaking a response off."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {_CUT: self._cut, _UNTAKEN: self._untaken}
        self.scope["extensions"] = extensions

    def _untaken(self) -> int:
        if not self.flow.write_paused or self.transport.is_closing():
            return 0
        # The kernel makes room in large steps: a slow peer shows in what lies there, long before it shows here.
        in_kernel = array.array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, in_kernel)
        return int(self.transport.get_write_buffer_size()) + in_kernel[0]

    def _cut(self) -> None:
        if self.scope["http_version"] == "1.0":
            # There the end of the connection is the end of the body: only a reset tells them apart.
            self.transport.abort()
            return
        self.transport.close()
        # close() waits for the peer to take what is buffered, and a dead peer never does.
        self.loop.call_later(_FLUSH_S, self.transport.abort)


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


def run(app: ASGIApp, host: str, port: int, drain: Callable[[], Awaitable[None]]) -> None:
    """Serve until a signal; then drain, close and return. Exits with one line when the port can't be had."""
    try:
        listening = socket.create_server((host, port), backlog=4096, family=_family(host))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        sys.exit(f"can't listen on {host}:{port}: {reason}")
    config = uvicorn.Config(
        app,
        http=_CuttableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
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
