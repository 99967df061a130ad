"""Servers of one's own on TCP, to be made into a cluster or watched by Sentinels, and to be killed one by one."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from deploy.leash import Leash
from deploy.redis_binary import Binary
from tests.ports import free_port
from tests.processes import until

HOST = "127.0.0.1"
STARTED_S = 20.0


class Node:
    """One `redis-server` process; after `kill`, `start` brings it back to its port and its files."""

    def __init__(self, binary: Binary, directory: Path, leash: Leash, arguments: Sequence[str]) -> None:
        self.port = 0
        self._binary = binary
        self._directory = directory
        self._leash = leash
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """As a URL names it."""
        return f"{HOST}:{self.port}"

    async def start(self) -> None:
        """Start it, at first on any port, and wait until it answers."""
        while not self.port:
            self.port = free_port()
            if not await self._comes_up():
                self.port = 0  # its second port, for the cluster's own talk, was taken
        assert self._lives or await self._comes_up()

    async def call(self, *command: Any) -> Any:
        """One command on a connection of its own; raises RedisError."""
        async with redis.asyncio.Redis(host=HOST, port=self.port, protocol=2, decode_responses=True) as client:
            return await client.execute_command(*command)

    async def kill(self) -> None:
        """SIGKILL."""
        assert self._process
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    def pause(self) -> None:
        """SIGSTOP: connections stand, and nothing is answered."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    @property
    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def _comes_up(self) -> bool:
        self._directory.mkdir(parents=True, exist_ok=True)
        log = self._directory / "log"
        own = ["--port", str(self.port), "--bind", HOST, "--dir", str(self._directory), "--logfile", str(log)]
        self._process = self._leash.spawn([self._binary.path, *self._arguments, *own])
        with contextlib.suppress(TimeoutError):
            return bool(await until(self._answers, STARTED_S))
        return False

    async def _answers(self) -> bool:
        if not self._lives:
            raise TimeoutError
        try:
            return bool(await self.call("PING"))
        except RedisError:
            return False
