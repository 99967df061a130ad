"""The processes of a local run: started on one leash, watched together, ended in order."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self

from deploy.leash import Leash
from deploy.redis_server import RedisServer
from deploy.settings import ROOT

_READY_S = 60.0
_ANSWER_S = 2.0
_LOOK_EVERY_S = 0.05
# What a process may take beyond its drain, to close its connections and its interpreter.
_CLOSE_S = 8.0
# Python's exit code for a text given to sys.exit, and for an exception: both are on standard error then.
_REFUSED = 1


class Trouble(Exception):
    """The run can't go on; the text says why in one line."""


class SaidAlready(Trouble):
    """A service has refused to start, and has said why itself: a second line would only hide the first."""


class Place(NamedTuple):
    """Where to ask something over HTTP."""

    host: str
    port: int
    path: str

    def get(self) -> bytes | None:
        """The body of the answer, or None when there is none or it is not a 200."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_ANSWER_S)
        try:
            connection.request("GET", self.path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return body if response.status == http.HTTPStatus.OK else None


class _Service(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    ready: Place


class Processes:
    """The leash and everybody on it. Leaving the context ends them all."""

    def __init__(self, drain_s: float, parent: int | None) -> None:
        """`drain_s` is what the services may take to finish; `parent` the process without which nobody shall live."""
        self.leash = Leash()
        self.redis: RedisServer | None = None
        self._drain_s = drain_s
        self._parent = parent
        self._services: list[_Service] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stop()
        finally:
            self.leash.close()

    def start(self, name: str, module: str, ready: Place, env: Mapping[str, str]) -> None:
        """Start a Python module of the checkout, ready when `ready` says so. The last one started ends last."""
        process = self.leash.spawn([sys.executable, "-m", module], cwd=ROOT, env={**os.environ, **env})
        self._services.append(_Service(name, process, ready))

    def wait_until_ready(self) -> None:
        """Return when all answer that they are ready. Raises Trouble when one ends, or takes over 60 s."""
        deadline = time.monotonic() + _READY_S
        for service in self._services:
            while service.ready.get() is None:
                self._check_refusals()
                self.check()
                if time.monotonic() > deadline:
                    raise Trouble(f"{service.name} is not ready after {_READY_S:g} s")
                time.sleep(_LOOK_EVERY_S)

    def wait(self) -> None:
        """Never return: raise Trouble when one of them ends."""
        while True:
            self.check()
            time.sleep(_LOOK_EVERY_S)

    def check(self) -> None:
        """Raise Trouble if one of them has ended, or the parent has."""
        if self._parent is not None and os.getppid() != self._parent:
            # Killed, since its other ends reach us as signals; so this is no time for a drain.
            self.leash.kill()
            raise Trouble("the process that started this run was killed")
        if not self.leash.is_held():
            raise Trouble("the watcher over the processes was killed")
        if self.redis and self.redis.process.poll() is not None:
            raise Trouble(f"Redis {_ended(self.redis.process.returncode)}")
        for service in self._services:
            if service.process.poll() is not None:
                raise Trouble(f"{service.name} {_ended(service.process.returncode)}")

    def _check_refusals(self) -> None:
        if any(service.process.poll() == _REFUSED for service in self._services):
            raise SaidAlready

    def _stop(self) -> None:
        # The services first, so that the origin still carries what they say at their end; then Redis, which keeps it.
        _end(self._services[:-1], self._drain_s + _CLOSE_S)
        _end(self._services[-1:], _CLOSE_S)
        if self.redis:
            self.redis.stop()


def _end(services: list[_Service], within_s: float) -> None:
    """Ask them to end; what has not by then is killed with the leash."""
    for service in services:
        service.process.terminate()
    deadline = time.monotonic() + within_s
    for service in services:
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.process.wait(max(0.0, deadline - time.monotonic()))


def _ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
