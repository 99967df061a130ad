"""The nurseries from the owner's side: one for each service, beside the processes that come from there."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

from deploy.leash import Leash
from tests.nursery import MESSAGE_BYTES

_POLL_S = 0.01

_LOADED = {
    "services.generate_stream": (
        "services.generate_stream.app",
        "services.generate_stream.providers.openai",
        "services.generate_stream.providers.anthropic",
        "openai.resources.chat",
        "httpcore2",
    ),
    "services.consume_stream": ("services.consume_stream.app",),
}
"""Each by itself: they have metrics of their own, and neither service ever meets the other."""

_READ_WHEN_LOADED = ("OPENAI_LOG", "ANTHROPIC_LOG")
"""What the SDKs read of the environment when they are loaded: who brings it comes from a nursery that has it too."""
_READ_BY_THE_LOOP = "PYTHONASYNCIODEBUG"
"""What else Python is told, it reads before it loads anything: too late in a nursery."""


class Child:
    """A process that comes from a nursery. It is handled as a Popen is."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Its exit code, when it has ended."""
        if self.returncode is None:
            try:
                self.returncode = self._nursery.ask(poll=self.pid)
            except ConnectionError:
                # The leash has killed the nursery, and this one with it: they are one group.
                self.returncode = -signal.SIGKILL
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait for its end; returns the exit code. Raises TimeoutExpired."""
        until_s = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until_s:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(_POLL_S)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        # Its number is nobody else's before its end has been asked for.
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Where one module's processes come from. They and it are in the leash's group, and end with that."""

    def __init__(self, leash: Leash, module: str, environ: dict[str, str], cwd: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "tests.nursery", str(number), module, *_LOADED[module]]
            environ = os.environ | {"PYTHONPATH": str(cwd)} | environ
            process = leash.spawn(command, cwd=cwd, env=environ, keep_open=[number])
        self._line = ours
        self._lock = threading.Lock()
        weakref.finalize(self, _close, ours, process)

    def start(self, environ: dict[str, str], log: Path) -> Child:
        """A new process, in this environment; what it says is added to the log."""
        return Child(self, self.ask(environ=environ, log=str(log)))

    def ask(self, **order: Any) -> Any:
        """Have the nursery do this; returns what it tells."""
        with self._lock:
            self._line.sendall(json.dumps(order).encode())
            told = self._line.recv(MESSAGE_BYTES)
        if not told:
            raise ConnectionResetError("the nursery has ended")
        return json.loads(told)


_NURSERIES: weakref.WeakKeyDictionary[Leash, dict[tuple[str, ...], Nursery]] = weakref.WeakKeyDictionary()
"""Of each leash, from their first use on, by the module and by what was read when it was loaded."""

_LOCK = threading.Lock()


def start(leash: Leash, module: str, environ: dict[str, str], cwd: Path, log: Path) -> Child:
    """A process of this module, from the leash's nursery for it."""
    read = {name: environ[name] for name in _READ_WHEN_LOADED if name in environ}
    which = (module, *(f"{name}={value}" for name, value in read.items()))
    with _LOCK:
        nurseries = _NURSERIES.setdefault(leash, {})
        if which not in nurseries:
            nurseries[which] = Nursery(leash, module, read, cwd)
    return nurseries[which].start(environ, log)


def has_one(module: str, settings: dict[str, str]) -> bool:
    """Whether this module, with these settings, can come from a nursery. Not on macOS, where a fork is not safe."""
    told_python = any(name.startswith("PYTHON") and name != _READ_BY_THE_LOOP for name in settings)
    return sys.platform == "linux" and module in _LOADED and not told_python


def _close(line: socket.socket, process: subprocess.Popen[bytes]) -> None:
    line.close()
    process.wait()
