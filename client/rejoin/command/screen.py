"""Where things go: the words to stdout and nothing else; all that is said about them to stderr."""

import json
import os
from collections.abc import Mapping
from typing import Any, TextIO

from rejoin.command import cleaner
from rejoin.command.cleaner import Cleaner
from rejoin.command.spinner import Spinner

_STYLES = {"dim": "\x1b[2m", "red": "\x1b[31m", "green": "\x1b[32m", "yellow": "\x1b[33m", "bold": "\x1b[1m"}
_PLAIN = "\x1b[0m"


class Screen:
    """Both outputs. A pipe gets the words as they are, a terminal only what can do nothing to it."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str], *, as_json: bool) -> None:
        self.as_json = as_json
        self._out, self._err = out, err
        able = environ.get("TERM") != "dumb"
        self.out_is_terminal, self._err_is_terminal = out.isatty(), err.isatty()
        self._colours = {each: able and not environ.get("NO_COLOR") and each.isatty() for each in (out, err)}
        self._spinner = Spinner(err) if able and self._err_is_terminal else None
        self._cleaner = Cleaner()
        self._in_line = False

    def words(self, text: str) -> None:
        """More of an answer."""
        if not text:
            return
        self.quiet()
        shown = self._cleaner.clean(text) if self.out_is_terminal else text
        if shown:
            self._write(shown)
            self._in_line = not shown.endswith("\n")

    def end_line(self) -> None:
        """End the line that an answer has left open."""
        if self._in_line:
            self._write("\n")
            self._in_line = False

    def record(self, record: Mapping[str, Any]) -> None:
        """One object for a program; JSON escapes what a terminal would obey."""
        self._write(json.dumps(record, separators=(",", ":")) + "\n")

    def row(self, *cells: tuple[str, str]) -> None:
        """One line of a list: texts, each with its style."""
        self._write("  ".join(self._styled(self._out, cleaner.line(text), style) for text, style in cells) + "\n")

    def say(self, text: str, style: str = "dim") -> None:
        """Tell the reader something about it all."""
        if self.as_json:
            return
        self.quiet()
        # Where both are one terminal, not in the middle of the answer's line.
        begin = "\n" if self._in_line and self.out_is_terminal and self._err_is_terminal else ""
        if begin:
            self._in_line = False
        self._err.write(f"{begin}{self._styled(self._err, cleaner.line(text), style)}\n")
        self._err.flush()

    def wait(self, text: str) -> None:
        """Show on a terminal that something is awaited."""
        if self._spinner and not self._in_line and not self.as_json:
            self._spinner.start(text)

    def quiet(self) -> None:
        """Nothing is awaited any more."""
        if self._spinner:
            self._spinner.stop()

    def abandon(self) -> None:
        """Nobody reads stdout any more: let nothing more go there, not even when Python ends."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _styled(self, out: TextIO, text: str, style: str) -> str:
        return f"{_STYLES[style]}{text}{_PLAIN}" if style and self._colours[out] else text
