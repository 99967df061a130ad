"""Logs: one JSON object a line, or short lines for people when standard error is a terminal. Never prompt text."""

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

_OURS = ("shared", "services", "deploy")

_about: ContextVar[dict[str, Any]] = ContextVar("about", default={})  # noqa: B039 - it is never changed, only replaced


def setup(service: str, level: str = "info") -> None:
    """Send the logs of the whole process to standard error: our own from `level` on, all others from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Terminal(service) if sys.stderr.isatty() else _Json(service))
    handler.addFilter(_is_wanted)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in _OURS:
        logging.getLogger(ours).setLevel(level.upper())


@contextlib.contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Give these facts to each line that is logged within, also by the tasks that begin within; empty ones to none."""
    token = _about.set(_about.get() | _given(facts))
    try:
        yield
    finally:
        _about.reset(token)


def note(**facts: Any) -> None:
    """The same for the rest of this task: what a request turned out to be about."""
    _about.set(_about.get() | _given(facts))


def _given(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in ("", None)}


def subject() -> dict[str, Any]:
    """The facts that each line bears just now."""
    return _about.get()


def debug(logger: logging.Logger, message: str, **fields: Any) -> None:
    """Log what helps to follow one request."""
    logger.debug(message, extra={"fields": fields})


def info(logger: logging.Logger, message: str, **fields: Any) -> None:
    """Log what happened, with the session, the generation and other short facts as fields."""
    logger.info(message, extra={"fields": fields})


def warning(logger: logging.Logger, message: str, **fields: Any) -> None:
    """Log what an operator may want to look at."""
    logger.warning(message, extra={"fields": fields})


def _is_wanted(record: logging.LogRecord) -> bool:
    # The vendors' SDKs log whole requests at DEBUG, and take that level from variables of their own (OPENAI_LOG).
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _OURS


class _Formatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def facts(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = _about.get() | getattr(record, "fields", {})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return fields


class _Json(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(head | self.facts(record), default=str)


class _Terminal(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = self.facts(record)
        trace = fields.pop("exception", None)
        facts = " ".join(f"{name}={_plain(value)}" for name, value in fields.items())
        line = f"{stamp} {self.service:<15} {record.levelname.lower():<7} {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{trace}" if trace else line


def _plain(value: Any) -> str:
    """On one line, and without a word to the terminal: a path, for one, is whatever a client likes."""
    text = str(value)
    return text if text.isprintable() else repr(text)
