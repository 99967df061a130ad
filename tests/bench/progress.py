"""How far the run is: one line, rewritten on a terminal; nothing on a pipe."""

import sys
import time
from typing import TextIO

_WIDTH = 24


class Progress:
    """Told which work begins, and what it is doing."""

    def __init__(self, works: int, out: TextIO = sys.stderr) -> None:
        self._works = works
        self._out = out
        self._done = -1
        self._work = ""
        self._begun = time.monotonic()

    def work(self, name: str) -> None:
        """The next work begins."""
        self._done += 1
        self._work = name
        self.step("")

    def step(self, doing: str) -> None:
        """What the work is doing now."""
        filled = _WIDTH * self._done // self._works
        minutes, seconds = divmod(round(time.monotonic() - self._begun), 60)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        self._rewrite(f"{bar} {minutes}:{seconds:02}  {self._work}  {doing}")

    def close(self) -> None:
        """Leave an empty line to whoever prints next."""
        self._rewrite("")

    def _rewrite(self, line: str) -> None:
        if self._out.isatty():
            self._out.write(f"\r\x1b[K{line}")
            self._out.flush()
