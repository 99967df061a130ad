"""The line between the bench and a process of its own: a command in JSON, and its reply, one line each."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

CONTROL_FD = "BENCH_CONTROL_FD"
"""The variable that tells a process which of its file descriptors is the line."""

_REPLY_WITHIN_S = 60.0
_FAILED = "failed"

Command = Callable[..., Awaitable[dict[str, Any]]]


class CommandFailed(Exception):
    """The process could not do what it was asked; the text says why."""


class Control:
    """The bench's end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """Speak over one end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    async def ask(self, do: str, *, within_s: float = _REPLY_WITHIN_S, **arguments: Any) -> dict[str, Any]:
        """Give one command and wait for its reply. Raises TimeoutError, or CommandFailed."""
        self._writer.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        async with asyncio.timeout(within_s):
            line = await self._reader.readline()
        if not line:
            raise CommandFailed(f"{do}: the process ended")
        reply: dict[str, Any] = json.loads(line)
        if _FAILED in reply:
            raise CommandFailed(f"{do}: {reply[_FAILED]}")
        return reply

    def close(self) -> None:
        """Hang up; the process at the other end takes it as its end."""
        self._writer.close()


async def obey(commands: Mapping[str, Command]) -> None:
    """Do what the bench asks, one command after the other, until it hangs up."""
    line = socket.socket(fileno=int(os.environ[CONTROL_FD]))
    reader, writer = await asyncio.open_unix_connection(sock=line)
    while asked := await reader.readline():
        command = json.loads(asked)
        try:
            reply = await commands[command.pop("do")](**command)
        except Exception as error:  # noqa: BLE001 - whatever it is, the bench is to hear of it
            reply = {_FAILED: f"{type(error).__name__}: {error}"}
        writer.write(json.dumps(reply).encode() + b"\n")
        await writer.drain()
