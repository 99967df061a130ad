"""A Redis that crashes: it comes back at the same address with all it had answered, or with less, as a test wants."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

from deploy import redis_server
from deploy.leash import Leash
from deploy.redis_binary import Binary
from deploy.redis_server import RedisServer
from tests import redis_users

Step = list[list[bytes]]
"""What Redis loads whole or not at all: one command, or all from MULTI to EXEC, as a script leaves it."""

_FILES = ("appendonly.aof", "appendonlydir/appendonly.aof.*.incr.aof")
"""Where it is: in one file until Redis 6.2, in a directory from 7 on."""


class RedisCrash:
    """A server of one's own, on a short path, so that its socket stays where it was."""

    def __init__(self, binary: Binary, directory: Path, leash: Leash) -> None:
        self._binary = binary
        self._directory = directory
        self._leash = leash
        self._server: RedisServer

    @property
    def url(self) -> str:
        """Where it is, also after a crash."""
        return self._server.url

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._server.kill)

    async def start(self) -> None:
        """Start it on its files, and wait until it answers."""
        extra = ("--aof-load-truncated", "yes", *redis_users.arguments(self._binary))
        self._server = await asyncio.to_thread(
            redis_server.start, self._binary, self._directory, *extra, leash=self._leash
        )

    async def kill(self) -> None:
        """SIGKILL. The file has every write that was answered."""
        await asyncio.to_thread(self._server.kill)

    def pause(self) -> None:
        """SIGSTOP: connections stand, and nothing is answered."""
        self._server.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._server.process.send_signal(signal.SIGCONT)

    def mark(self) -> int:
        """How long the append-only file is now, for `lose_after`."""
        return self._file().stat().st_size

    def lose_after(self, mark: int) -> list[Step]:
        """Take from the file of a killed server what was written after a mark; returns that."""
        return self._lose(lambda at, _: at >= mark)

    def lose_from(self, *words: bytes) -> list[Step]:
        """Take away everything from the first step on that has a command with all these words; returns that."""
        return self._lose(lambda _, step: any(set(words) <= set(command) for command in step))

    def _lose(self, is_first: Callable[[int, Step], bool]) -> list[Step]:
        file = self._file()
        raw = file.read_bytes()
        found = list(steps(raw))
        first = next((number for number, (at, step) in enumerate(found) if is_first(at, step)), len(found))
        lost = found[first:]
        if lost:
            file.write_bytes(raw[: lost[0][0]])
        return [step for _, step in lost]

    def _file(self) -> Path:
        (file,) = [path for pattern in _FILES for path in self._directory.glob(pattern)]
        return file


def steps(raw: bytes) -> Iterator[tuple[int, Step]]:
    """The steps of an append-only file, each with where it begins. An unfinished one at the end is left out."""
    step: Step = []
    began = at = 0
    while (end := _command_end(raw, at)) is not None:
        command = _words(raw, at)
        step.append(command)
        at = end
        if step[0] != [b"MULTI"] or command == [b"EXEC"]:
            yield began, step
            step, began = [], at


def writes(lost: Sequence[Step], word: bytes) -> bool:
    """Whether a command of these steps has a word."""
    return any(word in command for step in lost for command in step)


def _words(raw: bytes, at: int) -> list[bytes]:
    return [raw[start:end] for start, end in _spans(raw, at)]


def _command_end(raw: bytes, at: int) -> int | None:
    try:
        spans = _spans(raw, at)
    except ValueError:
        return None
    end = spans[-1][1] + 2
    return end if end <= len(raw) else None


def _spans(raw: bytes, at: int) -> list[tuple[int, int]]:
    """Where the words of the command at `at` stand, `*2 $4 ECHO $2 hi`. Raises ValueError where it is cut off."""
    line = raw.index(b"\r\n", at)
    assert raw[at : at + 1] == b"*"
    spans = []
    for _ in range(int(raw[at + 1 : line])):
        size_end = raw.index(b"\r\n", line + 2)
        start = size_end + 2
        line = start + int(raw[line + 3 : size_end])
        spans.append((start, line))
    return spans
