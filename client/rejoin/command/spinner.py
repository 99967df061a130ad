"""A sign that something is being waited for, on a terminal."""

import threading
from typing import TextIO

_SIGNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_EVERY_S = 0.1
_PATIENCE_S = 0.3
_CLEAR = "\r\x1b[K"


class Spinner:
    """Turns from `start` to `stop`, after which nothing is left of it. What is quick never shows it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._over = threading.Event()
        self._turning: threading.Thread | None = None
        self._text = ""

    def start(self, text: str) -> None:
        """Turn, beside a text; or tell another one."""
        self._text = text
        if self._turning is None:
            self._over = threading.Event()
            self._turning = threading.Thread(target=self._turn, args=(self._over,), daemon=True)
            self._turning.start()

    def stop(self) -> None:
        """Be gone."""
        if self._turning:
            self._over.set()
            self._turning.join()
            self._turning = None

    def _turn(self, over: threading.Event) -> None:
        turns = 0
        wait_s = _PATIENCE_S
        while not over.wait(wait_s):
            self._out.write(f"{_CLEAR}{_SIGNS[turns % len(_SIGNS)]} {self._text}")
            self._out.flush()
            turns, wait_s = turns + 1, _EVERY_S
        if turns:
            self._out.write(_CLEAR)
            self._out.flush()
