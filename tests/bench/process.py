"""A process that takes part: a server that is measured, or a load generator that measures."""

import asyncio
import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import Any, Self

import psutil

from deploy.leash import Leash
from tests.bench.control import CONTROL_FD, Control
from tests.bench.cpu import cpu_s
from tests.ports import free_port
from tests.processes import ROOT, until

_START_S = 30.0
_END_S = 10.0
_SETTINGS = ("REJOIN_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "REDIS_URL")


class Process:
    """One of our modules as a process, with a line to command it and, if it serves, a port."""

    def __init__(self, leash: Leash, log: Path, module: str, environ: dict[str, str]) -> None:
        self.module = module
        self.log = log
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
        ours, theirs = socket.socketpair()
        told = {CONTROL_FD: str(theirs.fileno()), "REJOIN_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        into_log = ["/bin/sh", "-c", f'exec "$@" >>{log} 2>&1', "sh"]
        command = [*into_log, sys.executable, "-m", module]
        with theirs:
            keep_open = [theirs.fileno()]
            self._process = leash.spawn(command, cwd=ROOT, env=kept | told | environ, keep_open=keep_open)
        self._end = ours
        self._control: Control | None = None

    async def listening(self) -> Self:
        """Wait until it takes connections."""
        await until(self._is_listening, _START_S)
        return self

    async def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Give it a command and wait for the reply."""
        self._control = self._control or await Control.over(self._end)
        return await self._control.ask(do, **arguments)

    @property
    def cpu_s(self) -> float:
        """The CPU time it has used so far."""
        return cpu_s(self._process.pid)

    @property
    def memory_kb(self) -> float:
        """Its resident memory."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1024

    def connections_to(self, port: int) -> int:
        """How many connections it holds to a port."""
        held = psutil.Process(self._process.pid).net_connections("tcp")
        return sum(1 for each in held if each.raddr and each.raddr.port == port and each.status == "ESTABLISHED")

    async def close(self) -> None:
        """End it."""
        if self._control:
            self._control.close()
        self._end.close()
        self._process.terminate()
        with contextlib.suppress(Exception):  # one that does not end in time is killed
            await asyncio.to_thread(self._process.wait, _END_S)
        self._process.kill()
        self._process.wait()

    async def _is_listening(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.module} ended at its start:\n{self.log.read_text()}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True
