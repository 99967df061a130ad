"""A private Redis: a real server on a Unix socket of its own, gone with the process that started it."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import quote

import redis

from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries

__all__ = ["Binary", "RedisFailed", "RedisServer", "binaries", "start"]

_SOCKET_PATH_MAX_BYTES = 107
_START_S = 60.0
_STOP_S = 10.0
_ANSWER_S = 5.0


class RedisFailed(Exception):
    """The server did not come up; the text says why in one line."""


class RedisServer:
    """A running server. Made by `start`."""

    def __init__(
        self, binary: Binary, directory: Path, url: str, process: subprocess.Popen[bytes], ends: contextlib.ExitStack
    ) -> None:
        self.binary = binary
        self.directory = directory
        self.url = url
        self.process = process
        self._ends = ends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def version(self) -> str:
        """Such as 7.0.15."""
        return self.binary.version

    def stop(self) -> None:
        """End it in good order, within 10 s: what it holds reaches the disk."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_S)
        self.kill()

    def kill(self) -> None:
        """End it as a crash would. Its files stay."""
        self.process.kill()
        self.process.wait()
        self._ends.close()


def start(
    binary: Binary, directory: Path, *extra: str, leash: Leash | None = None, keep_open: Sequence[int] = ()
) -> RedisServer:
    """Start a server whose data is in `directory`, and wait until it answers.

    `extra` are further arguments for it, such as `"--maxmemory", "8mb"`; `keep_open` as for `Leash.spawn`. Without a
    `leash` it gets one of its own. Raises RedisFailed, with nothing left running.
    """
    with contextlib.ExitStack() as undo:
        directory.mkdir(parents=True, exist_ok=True)
        leash = leash or undo.enter_context(contextlib.closing(Leash()))
        socket_path = _socket_path(directory, undo)
        command: list[str | Path] = [binary.path, *_arguments(directory, socket_path), *extra]
        process = leash.spawn(command, keep_open=keep_open)
        server = RedisServer(binary, directory, f"unix://{quote(str(socket_path))}", process, undo.pop_all())
    try:
        _wait_for_answer(server)
    except BaseException:  # an interrupt too must leave no server behind
        server.kill()
        raise
    return server


def _socket_path(directory: Path, undo: contextlib.ExitStack) -> Path:
    """Beside the data; where that path is too long for a socket, in a temporary directory that only we can enter."""
    path = directory.resolve() / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_MAX_BYTES:
        return path
    return Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="rejoin-", dir="/tmp"))) / "redis.sock"


def _arguments(directory: Path, socket_path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(directory.resolve()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        # The AOF holds everything; a second copy would only cost disk.
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": "redis.log",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _wait_for_answer(server: RedisServer) -> None:
    deadline = time.monotonic() + _START_S
    # It refuses commands while it loads its data; both that and the missing socket are RedisErrors.
    with contextlib.closing(redis.Redis.from_url(server.url, socket_timeout=_ANSWER_S)) as client:
        while True:
            if server.process.poll() is not None:
                raise RedisFailed(f"{server.binary.path} did not start: {_last_words(server.directory)}")
            try:
                client.ping()
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    raise RedisFailed(f"{server.binary.path} does not answer: {error}") from None
                time.sleep(0.02)
            else:
                return


def _last_words(directory: Path) -> str:
    log = directory / "redis.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing"
