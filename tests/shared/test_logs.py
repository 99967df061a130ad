"""Lines for people: what a client wrote stays on its line, and tells the terminal nothing."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from shared import logs


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """What a person sees of all that is logged."""
    shown, loggers = Terminal(), [logging.getLogger(name) for name in ("", "shared", "services", "deploy")]
    levels = [logger.level for logger in loggers]
    monkeypatch.setattr(sys, "stderr", shown)
    # Else those that are there would be closed.
    monkeypatch.setattr(loggers[0], "handlers", [])
    logs.setup("generate-stream")
    yield shown
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize(
    "path", ["/x\n12:00:00 generate-stream error all is lost", "/\x1b]0;owned\x07", "/\x9b2J", "/\u2028"]
)
def test_a_path_begins_no_line_and_speaks_to_no_terminal(terminal: Terminal, path: str) -> None:
    logs.info(logging.getLogger("shared.requests"), "request", path=path, status=404)
    line = terminal.getvalue()
    assert line.endswith(f"path={path!r} status=404\n")
    assert line.removesuffix("\n").isprintable()
