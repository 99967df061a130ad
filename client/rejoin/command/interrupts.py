"""Signals that end the command: at once, but never between showing words and noting that they were shown."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Interrupted(BaseException):
    """A signal came. No Exception: whoever catches those is not meant."""

    def __init__(self, number: int, *, broke: bool = False) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number
        self.broke = broke
        """It came into the middle of what is done whole."""


class Interrupts:
    """Ctrl-C, and the ends that others bring: a closed terminal, a polite kill."""

    def __init__(self) -> None:
        self._held = False
        self._came: int | None = None
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # Who was told to pass over a hang-up (nohup) goes on doing so.
            if hasattr(signal, name) and signal.getsignal(number := getattr(signal, name)) is not signal.SIG_IGN:
                signal.signal(number, self._come)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is done inside is done whole; only who asks twice breaks it off."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._came is not None:
            raise Interrupted(self._came)

    def ignore(self) -> None:
        """It ends already: whatever comes now makes nothing worse."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)

    def _come(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._held and self._came is None:
            self._came = number
            return
        raise Interrupted(number, broke=self._held)
