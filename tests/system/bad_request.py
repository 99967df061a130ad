"""A request that must be refused, with its status and code, and the words that tables of them are written in."""

import json
from typing import Any, NamedTuple

START, STOP, DELETE = "/api/generate-stream", "/api/stop-stream", "/api/delete-stream"
CONSUME, SESSIONS = "/api/consume-stream", "/api/sessions/"
GOOD = "a-session-of-the-table"

INVALID_JSON = (400, "invalid_json")
INVALID_REQUEST = (400, "invalid_request")
INVALID_SESSION = (400, "invalid_session_id")
INVALID_FIELD = (422, "invalid_field")
UNKNOWN_FIELD = (422, "unknown_field")
NOT_JSON = (415, "unsupported_media_type")
PROMPT_TOO_LARGE = (413, "prompt_too_large")
BODY_TOO_LARGE = (413, "body_too_large")

BAD_SESSIONS = [
    "", "seven77", "x" * 65, "{braces}", "glob****", "glob?[a-z]", "with space", "new\nline1", "trailing\n",
    "nul\0nul1", "../../../etc", "ünïcödé12", "１２３４５６７８", "llm:stream", "percent%00",
]  # fmt: skip


class Bad(NamedTuple):
    """One request, and how it is refused."""

    method: str
    path: str
    refused: tuple[int, str]
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    query: tuple[tuple[str, str], ...] = ()
    chunked: bool = False

    def __str__(self) -> str:
        body = self.body[:60] if self.body else b""
        return f"{self.method} {self.path[:60]} {self.query} {self.headers} {body!r}"


def post(path: str, body: Any, refused: tuple[int, str], **headers: str) -> Bad:
    """A body as JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Bad("POST", path, refused, raw, tuple(sent.items()))


def get(path: str, refused: tuple[int, str], query: dict[str, str] | None = None, **headers: str) -> Bad:
    """A GET with a query."""
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Bad("GET", path, refused, None, sent, tuple((query or {}).items()))
