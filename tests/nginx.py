"""nginx as a process, from the template that is shipped, in front of services anywhere."""

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx2
import pytest

from deploy.leash import Leash
from deploy.page import DIST
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
_START = ROOT / "deploy/nginx/start.sh"
_START_S = 40.0


def needed() -> str:
    """Where nginx is. Without it a test is skipped, with a word; where CI is set, it fails."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found:
        return found
    reason = "nginx is not on this machine (on Debian: apt install nginx-light)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Nginx:
    """One nginx on free ports of 127.0.0.1, with all that it writes in `directory`. It ends with its leash.

    `generate` and `consume` are the services' places, `host:port`. `url` has TLS, and `plain_url` only says so; with
    `tls=False`, `url` is in clear and serves everything. Further settings are those of `deploy/nginx/start.sh`.
    """

    def __init__(
        self,
        leash: Leash,
        directory: Path,
        generate: Sequence[str],
        consume: Sequence[str],
        *,
        page: Path = DIST,
        tls: bool = True,
        **settings: str,
    ) -> None:
        binary = needed()
        http, https = free_port(), free_port()
        self.directory = directory
        self.plain_url = f"http://127.0.0.1:{http}"
        self.url = f"https://127.0.0.1:{https}" if tls else self.plain_url
        self.log, self.access_log = directory / "nginx.log", directory / "access.log"
        self.certificate = directory / "tls/tls.crt"
        self.process: subprocess.Popen[bytes] | None = None
        self._leash = leash
        plain = {name: value for name, value in os.environ.items() if not name.startswith("REJOIN_")}
        self._environ = plain | {
            "PATH": f"{os.environ['PATH']}:{Path(binary).parent}",
            "REJOIN_HOST": "127.0.0.1",
            "REJOIN_HTTP_PORT": str(http),
            "REJOIN_HTTPS_PORT": str(https),
            "REJOIN_TLS": "on" if tls else "off",
            "REJOIN_NAME": "rejoin.example",
            "REJOIN_PAGE": str(page),
            "REJOIN_TLS_DIR": str(self.certificate.parent),
            "REJOIN_RUN_DIR": str(directory),
            "REJOIN_ACCESS_LOG": str(self.access_log),
            **settings,
        }
        self._place(generate, consume)

    def start(self) -> Self:
        """Start it and wait until it answers."""
        into_log = ["/bin/sh", "-c", f'exec "$@" >>{self.log} 2>&1', "sh"]
        self.process = self._leash.spawn([*into_log, _START], env=self._environ)
        deadline = time.monotonic() + _START_S
        try:
            while not self._answers():
                assert self.process.poll() is None, f"nginx ended at its start:\n{self.log.read_text()}"
                assert time.monotonic() < deadline, f"nginx does not answer:\n{self.log.read_text()}"
                time.sleep(0.02)
        except BaseException:
            self.stop()
            raise
        return self

    def reload(self, generate: Sequence[str], consume: Sequence[str]) -> None:
        """Let new requests go to these places; what is open stays where it is. Returns when they do."""
        assert self.process
        before = self._workers()
        self._place(generate, consume)
        subprocess.run([_START, "render"], env=self._environ, check=True)
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _START_S
        # The old workers have left the ports when they say of themselves that they are shutting down, or are gone.
        while any(_listens(worker) for worker in before) or not self._workers() - before:
            assert time.monotonic() < deadline, f"nginx did not reload:\n{self.log.read_text()}"
            time.sleep(0.02)

    def stop(self) -> None:
        """SIGTERM, as the container gets it: what is open is cut at once."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def trust(self) -> ssl.SSLContext:
        """A TLS context that knows this nginx's own certificate, and offers HTTP/2 and HTTP/1.1."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    def _place(self, generate: Sequence[str], consume: Sequence[str]) -> None:
        self._environ |= {"REJOIN_GENERATE": " ".join(generate), "REJOIN_CONSUME": " ".join(consume)}

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz", verify=False, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def _workers(self) -> set[int]:
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in children.read_text().split()}


def _listens(worker: int) -> bool:
    try:
        return b"shutting down" not in Path(f"/proc/{worker}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
