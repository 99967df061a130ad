"""Servers of one's own on TCP, to be made into a cluster or watched by Sentinels, and to be killed one by one."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from deploy.leash import Leash
from deploy.redis_binary import Binary
from tests.certificates import Certificates
from tests.ports import free_port
from tests.processes import until

HOST = "127.0.0.1"
STARTED_S = 20.0

_MEMORY = Path("/dev/shm")
"""Linux has it. The thread that answers also waits for the disk when it notes what it knows of the others: where that
is slow, nodes take each other for dead."""


class Node:
    """One `redis-server` process; after `kill`, `start` brings it back to its port and its files."""

    def __init__(
        self,
        binary: Binary,
        leash: Leash,
        arguments: Sequence[str],
        certificates: Certificates | None = None,
    ) -> None:
        self.port = 0
        self._certificates = certificates
        self._binary = binary
        memory = _MEMORY if _MEMORY.is_dir() else None
        self.directory = Path(tempfile.mkdtemp(prefix="rejoin-node-", dir=memory))
        weakref.finalize(self, shutil.rmtree, self.directory, ignore_errors=True)
        self._leash = leash
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._client: redis.asyncio.Redis | None = None

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
        """One command, on a connection that is kept: much is asked again and again. Raises RedisError."""
        if self._client is None:
            tls: dict[str, Any] = {"ssl": True, **ssl_options(self._certificates)} if self._certificates else {}
            once_more = Retry(NoBackoff(), 1)
            self._client = redis.asyncio.Redis(
                host=HOST, port=self.port, protocol=2, decode_responses=True, retry=once_more, **tls
            )
        return await self._client.execute_command(*command)

    async def kill(self) -> None:
        """SIGKILL, if it was ever started."""
        if self._process:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        client, self._client = self._client, None
        if client:
            await client.aclose()

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
        log = self.directory / "log"
        port = tls_arguments(self._certificates, self.port) if self._certificates else ("--port", str(self.port))
        own = [*port, "--bind", HOST, "--dir", str(self.directory), "--logfile", str(log)]
        self._process = self._leash.spawn([self._binary.path, *self._arguments, *own], cwd=self.directory)
        with contextlib.suppress(TimeoutError):
            return bool(await until(self._answers, STARTED_S))
        await self.kill()
        return False

    async def _answers(self) -> bool:
        if not self._lives:
            raise TimeoutError
        try:
            return bool(await self.call("PING"))
        except RedisError:
            return False


def tls_arguments(certificates: Certificates, port: int) -> tuple[str, ...]:
    """A server that speaks TLS alone, with its replicas and its cluster too, and asks each client for a certificate."""
    return (
        "--port", "0", "--tls-port", str(port), "--tls-replication", "yes", "--tls-auth-clients", "yes",
        "--tls-cert-file", certificates.path("redis.crt"), "--tls-key-file", certificates.path("redis.key"),
        "--tls-ca-cert-file", certificates.path("ca.crt"),
    )  # fmt: skip


def ssl_options(certificates: Certificates) -> dict[str, str]:
    """What a client brings, as a URL's query and the library name it."""
    files = {"ssl_ca_certs": "ca.crt", "ssl_certfile": "client.crt", "ssl_keyfile": "client.key"}
    return {name: certificates.path(file) for name, file in files.items()}
