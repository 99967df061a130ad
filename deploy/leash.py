"""A leash: processes that end when the one that started them ends, even when that one is killed outright."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class Leash:
    """A process group, led by a small watcher that kills the whole group when its owner's end of a pipe closes.

    The kernel closes the pipe however the owner ends, so this needs no signal handler, no sweep and no Linux.
    A child is in the group before it becomes its own program, so there is no moment in which it is not held.
    Being no part of the terminal's own group, the children hear nothing of Ctrl-C: their owner decides.
    """

    def __init__(self) -> None:
        # -I -S: the watcher needs nothing of the environment, and starts in a few milliseconds.
        command = [sys.executable, "-I", "-S", str(Path(__file__))]
        self._watcher = subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a process in the group; `keep_open` are file descriptors that it shall hold too."""
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            pass_fds=keep_open,
            stdin=subprocess.DEVNULL,
            process_group=self._watcher.pid,
        )

    def is_held(self) -> bool:
        """Whether the watcher lives. Without it, the children would survive their owner."""
        return self._watcher.poll() is None

    def kill(self) -> None:
        """Kill the whole group at once."""
        # Gone already, or (macOS) nothing but zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._watcher.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left of the group, and wait for the watcher's end."""
        self.kill()
        if self._watcher.stdin:
            self._watcher.stdin.close()
        self._watcher.wait()


def _watch() -> None:
    """Wait for the owner's end, then take everybody along, oneself too."""
    # Sent by the kernel to the whole group when its owner dies while one of them is stopped.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _watch()
