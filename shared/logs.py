"""Logs: one JSON object a line, or short lines for people when standard error is a terminal. Never prompt text."""

import json
import logging
import sys
import time
from typing import Any


def setup(service: str) -> None:
    """Send the logs of the whole process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Terminal(service) if sys.stderr.isatty() else _Json(service))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The SDKs and the server tell every request at INFO; an operator wants to read of generations and viewers.
    for noisy in ("httpx2", "httpcore2", "openai", "anthropic", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def info(logger: logging.Logger, message: str, **fields: Any) -> None:
    """Log what happened, with the session, the generation and other short facts as fields."""
    logger.info(message, extra={"fields": fields})


def warning(logger: logging.Logger, message: str, **fields: Any) -> None:
    """Log what an operator may want to look at."""
    logger.warning(message, extra={"fields": fields})


class _Formatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def facts(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = dict(getattr(record, "fields", {}))
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
        facts = " ".join(f"{name}={value}" for name, value in fields.items())
        line = f"{stamp} {self.service:<15} {record.levelname.lower():<7} {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{trace}" if trace else line
