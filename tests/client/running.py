"""The command `rejoin` as a process: in a pipe, or on a terminal of its own."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from tests.processes import ROOT, until

ENDS_S = 30.0


class Ended(NamedTuple):
    """How it exited, and what it said. On a terminal all of it is in `out`."""

    code: int
    out: str
    err: str


class Running:
    """One run of the command."""

    all: ClassVar[list["Running"]] = []

    def __init__(self, environ: Mapping[str, str], *arguments: str, piped: str | None = None) -> None:
        self._environ = dict(environ)
        self._arguments = arguments
        self._piped = piped
        self._reading: list[asyncio.Task[None]] = []
        self._said = {"out": bytearray(), "err": bytearray()}
        self.through: tuple[str, ...] = ()
        """A command that starts it."""
        self.process: asyncio.subprocess.Process
        self.all.append(self)

    async def pipe(self) -> "Running":
        """Start it with pipes for its outputs."""
        pipe = asyncio.subprocess.PIPE
        stdin = pipe if self._piped is not None else asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(
            *self._command(), stdin=stdin, stdout=pipe, stderr=pipe, env=self._environ
        )
        assert self.process.stdout
        assert self.process.stderr
        for name, stream in (("out", self.process.stdout), ("err", self.process.stderr)):
            self._reading.append(asyncio.create_task(self._read(name, stream)))
        if self.process.stdin:
            self.process.stdin.write((self._piped or "").encode())
            self.process.stdin.close()
        return self

    async def terminal(self) -> "Running":
        """Start it on a terminal."""
        ours, its = pty.openpty()
        self.process = await asyncio.create_subprocess_exec(
            *self._command(), stdin=its, stdout=its, stderr=its, env=self._environ, start_new_session=True
        )
        os.close(its)
        self._reading.append(asyncio.create_task(self._read_terminal(ours)))
        return self

    @property
    def out(self) -> str:
        """What it has said on stdout so far."""
        return self._said["out"].decode("utf-8", "replace")

    async def shows(self, text: str) -> None:
        """Wait until it has shown a text."""

        async def shown() -> bool:
            return text in self.out

        await until(shown, ENDS_S)

    def hang_up(self) -> None:
        """Read its stdout no more."""
        self._reading[0].cancel()
        transport = self.process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    @classmethod
    async def end_all(cls) -> None:
        """Kill those that a test has left behind: they would watch on beside the next ones."""
        for running in cls.all:
            if running.process.returncode is None:
                running.process.kill()
                await running.process.wait()
        cls.all.clear()

    async def ended(self) -> Ended:
        """Wait for its end."""
        async with asyncio.timeout(ENDS_S):
            code = await self.process.wait()
            await asyncio.gather(*self._reading, return_exceptions=True)
        return Ended(code, self.out, self._said["err"].decode("utf-8", "replace"))

    def _command(self) -> list[str]:
        return [*self.through, sys.executable, "-m", "rejoin", *self._arguments]

    async def _read(self, name: str, stream: asyncio.StreamReader) -> None:
        while said := await stream.read(65536):
            self._said[name] += said

    async def _read_terminal(self, ours: int) -> None:
        try:
            while said := await asyncio.to_thread(_read, ours):
                self._said["out"] += said
        finally:
            os.close(ours)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""  # nobody has the other side any more


def environment(url: str, home: Path, **more: str) -> dict[str, str]:
    """Of somebody at home on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REJOIN_")}
    own = {"REJOIN_URL": url, "XDG_STATE_HOME": str(home), "TERM": "xterm", "PYTHONPATH": str(ROOT / "client")}
    kept.pop("NO_COLOR", None)
    return kept | own | more
