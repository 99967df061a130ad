"""The services as processes: by the commands that users run, or from a nursery, where that is quicker."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import httpx2

from deploy import page
from deploy.leash import Leash
from tests import nurseries
from tests.ports import free_port
from tests.redis_users import as_user

ROOT = Path(__file__).parent.parent
START_S = 60.0
_ANSWER_S = 30.0
"""Long enough for a busy machine; nothing here claims that an answer comes soon."""
_LISTENING = re.compile(r'"message": "listening".*"port": (\d+)')


class Service:
    """One process of one service on a free port. Its log goes to a file that a test may read.

    With a `python` it is that one's `python -m`; without, the same from a nursery, wherever that can't be seen.
    """

    def __init__(self, module: str, leash: Leash, environ: dict[str, str], *, python: str = "") -> None:
        kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        handle, name = tempfile.mkstemp(suffix=".log")
        os.close(handle)
        self._log = Path(name)
        weakref.finalize(self, self._log.unlink)
        self._started_at = 0
        self.leash = leash
        self._module = module
        self._environ = kept | {"REJOIN_PORT": "0", "PYTHONPATH": str(ROOT)} | environ
        self._python = python or ("" if nurseries.has_one(module, environ) else sys.executable)
        self.process: subprocess.Popen[bytes] | nurseries.Child | None = None
        self.url = ""

    @property
    def log(self) -> str:
        """All that the process has logged."""
        return self._log.read_text("utf-8", "replace")

    async def start(self, ready: str = "/readyz") -> Self:
        """Start it and wait until it is ready."""
        self._started_at = len(self.log)
        redis = {"REDIS_URL": as_user(url, self._module)} if (url := self._environ.get("REDIS_URL")) else {}
        environ = self._environ | redis
        if self._python:
            into_log = ["/bin/sh", "-c", f'exec "$@" >>{self._log} 2>&1', "sh"]
            command = [*into_log, self._python, "-m", self._module]
            self.process = self.leash.spawn(command, cwd=ROOT, env=environ)
        else:
            arguments = self.leash, self._module, environ, ROOT, self._log
            self.process = await asyncio.to_thread(nurseries.start, *arguments)
        await until(self._is_listening, START_S)
        async with httpx2.AsyncClient(verify=False) as client:
            await until(lambda: self._is_ready(client, ready), START_S)
        return self

    async def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM, and wait; returns the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def ended(self, seconds: float) -> int:
        """Wait for the end of the process; returns the exit code."""
        assert self.process
        return await asyncio.to_thread(self.process.wait, seconds)

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.process
        self.process.kill()
        await self.ended(_ANSWER_S)

    async def _is_listening(self) -> bool:
        assert self.process
        found = _LISTENING.findall(self.log[self._started_at :])
        if self.process.poll() is not None:
            raise AssertionError(f"{self._module} ended at its start:\n{self.log}")
        self.url = f"http://127.0.0.1:{found[-1]}" if found else ""
        return bool(found)

    async def _is_ready(self, client: httpx2.AsyncClient, path: str) -> bool:
        try:
            return (await client.get(f"{self.url}{path}")).status_code == 200
        except httpx2.TransportError:
            return False


class Services:
    """One generate-stream and one consume-stream on one Redis, with a client for each."""

    def __init__(self, redis_url: str, leash: Leash, *, vendors: str = "", python: str = "", **settings: Any) -> None:
        environ = {"REDIS_URL": redis_url} | {name: str(value) for name, value in settings.items()}
        self.generate = Service("services.generate_stream", leash, vendor_settings(vendors) | environ, python=python)
        self.consume = Service("services.consume_stream", leash, environ, python=python)

    async def __aenter__(self) -> Self:
        await asyncio.gather(self.generate.start(), self.consume.start())
        return self

    async def __aexit__(self, *_: object) -> None:
        for service in (self.generate, self.consume):
            if service.process and service.process.poll() is None:
                await service.kill()

    @contextlib.asynccontextmanager
    async def origin(self, **settings: str) -> AsyncIterator[str]:
        """The one address in front of both, as in the local run, and the page there."""
        await asyncio.to_thread(page.build)
        ports = {"REJOIN_GENERATE_PORT": _port(self.generate.url), "REJOIN_CONSUME_PORT": _port(self.consume.url)}
        origin = Service("deploy.origin", self.generate.leash, {"REJOIN_PORT": str(free_port())} | ports | settings)
        await origin.start("/healthz")
        try:
            yield origin.url
        finally:
            await origin.kill()

    async def start(self, **body: Any) -> dict[str, Any]:
        """POST a prompt; returns the body of the 202."""
        async with httpx2.AsyncClient(timeout=_ANSWER_S, verify=False) as client:
            response = await client.post(f"{self.generate.url}/api/generate-stream", json=body)
        assert response.status_code == 202, response.text
        return dict(response.json())

    async def stop(self, session: str, **more: Any) -> httpx2.Response:
        """POST a stop."""
        async with httpx2.AsyncClient(timeout=_ANSWER_S, verify=False) as client:
            body = {"sessionId": session, **more}
            return await client.post(f"{self.generate.url}/api/stop-stream", json=body)


def vendor_settings(url: str) -> dict[str, str]:
    """Every vendor at one address; none without an address."""
    if not url:
        return {}
    return {
        "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{url}/v1",
        "ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": url,
        "GEMINI_API_KEY": "gm-test", "GEMINI_BASE_URL": f"{url}/v1beta/openai/",
    }  # fmt: skip


def _port(url: str) -> str:
    return url.rpartition(":")[2]


async def until(fact: Any, seconds: float, *, every_s: float = 0.02) -> Any:
    """Wait for a fact: an async function's first true value. Raises TimeoutError."""
    until_s = time.monotonic() + seconds
    async with asyncio.timeout(seconds):
        # The clock too: redis-py's client now and then swallows the cancellation that a timeout is.
        while time.monotonic() < until_s:
            value = await fact()
            if value:
                return value
            await asyncio.sleep(every_s)
    raise TimeoutError


def _is_setting(name: str) -> bool:
    return name.startswith(("REJOIN_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "OTEL_")) or name == "REDIS_URL"
