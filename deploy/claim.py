"""A claim on a data directory: one local run at a time works in it."""

import fcntl
import os
from pathlib import Path


class Taken(Exception):
    """Another run has the directory; the text says which."""


class Claim:
    """A lock that the kernel lets go when the last process that holds `file` open has ended, however it ended.

    The private Redis holds it too, so no other is started on its data while it still stands.
    """

    def __init__(self, directory: Path) -> None:
        """Take it. Raises Taken, and OSError when the directory can't be written to."""
        directory.mkdir(parents=True, exist_ok=True)
        self.file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self.file, 20).decode() or "unknown"
            os.close(self.file)
            raise Taken(f"another run (process {owner}) works in {directory}; stop it first") from None
        os.ftruncate(self.file, 0)
        os.write(self.file, str(os.getpid()).encode())

    def close(self) -> None:
        """Let go."""
        os.close(self.file)
