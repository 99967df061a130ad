"""Requests that must be refused, each with its status and code: the table of every route's bad input."""

import json
from collections.abc import Iterator
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


def bodies(path: str) -> Iterator[Bad]:
    """What no route takes for a body."""
    fields = {"sessionId": GOOD} | ({"prompt": "Hello?"} if path == START else {})
    good = json.dumps(fields)
    broken = [
        b"", b" ", b"{", good[:-1].encode(), b"{'sessionId': 'single-quotes'}", f"{good} x".encode(), b"undefined",
        b'{"sessionId":"a-ses\nsion"}', b"\xff\xfe", b'{"sessionId":"\xff\xff\xff\xff\xff\xff\xff\xff"}',
        good.encode("utf-16"), b"\xef\xbb\xbf" + good.encode(), b"sessionId=a-session&prompt=Hello",
        b"[" * 60_000, b'{"a":' * 12_000, b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
    ]  # fmt: skip
    numbers = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000]
    broken += [f'{good[:-1]}, "generation": {number}}}'.encode() for number in numbers]
    broken += [f'{good[:-1]}, "sessionId": "{GOOD}"}}'.encode(), f'{good[:-1]}, "a": {{"b": 1, "b": 2}}}}'.encode()]
    for body in broken:
        yield post(path, body, INVALID_JSON)
    for value in ([], [fields], None, "text", 1, True):
        yield post(path, value, INVALID_JSON)
    for media_type in ("", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json"):
        yield post(path, fields, NOT_JSON, Content_Type=media_type)
    yield Bad("POST", path, NOT_JSON, good.encode(), ())
    yield post(path, fields | {"sessionID": GOOD}, UNKNOWN_FIELD)
    yield post(path, fields | {"__proto__": {}}, UNKNOWN_FIELD)
    for bad in BAD_SESSIONS:
        yield post(path, fields | {"sessionId": bad}, INVALID_SESSION)
    for value in (12_345_678, ["a-session"], {"id": "a-session"}, True):
        yield post(path, fields | {"sessionId": value}, INVALID_FIELD)
    large = 64 * 1024 + (6 * 131_072 if path == START else 0)
    oversized = post(path, good.encode().ljust(large + 1), BODY_TOO_LARGE)
    yield oversized
    yield oversized._replace(chunked=True)


def starts() -> Iterator[Bad]:
    """What generate-stream does not begin."""
    ask = {"sessionId": GOOD, "prompt": "Hello?"}
    said = [{"role": "user", "content": "Hello?"}]
    for body in ({}, {"sessionId": GOOD}, {"prompt": None}, ask | {"messages": said}, {"stream": False}):
        yield post(START, body, INVALID_REQUEST)
    yield post(START, {"messages": [{"role": "system", "content": "Be brief."}]}, INVALID_REQUEST)
    for prompt in ("", 1, ["Hello?"], {"text": "Hello?"}, True):
        yield post(START, {"prompt": prompt}, INVALID_FIELD)
    for messages in ([], {}, "Hello?", [1], ["Hello?"], [[]], said * 10_001):
        yield post(START, {"messages": messages}, INVALID_FIELD)
    for message in ({}, {"role": "user"}, {"content": "Hello?"}):
        yield post(START, {"messages": [message]}, INVALID_REQUEST)
    for role, content in (("robot", "Hello?"), (None, "Hello?"), ("user", ""), ("user", ["Hello?"]), ("user", None)):
        yield post(START, {"messages": [{"role": role, "content": content}]}, INVALID_FIELD)
    yield post(START, {"messages": [said[0] | {"name": "Bob"}]}, UNKNOWN_FIELD)
    for name, values in _KNOBS.items():
        for value in values:
            yield post(START, ask | {name: value}, INVALID_FIELD)
    yield post(START, ask | {"provider": "nobody"}, (422, "provider_unknown"))
    yield post(START, ask | {"replaces": 1}, (422, "replaces_unknown"))
    for text in ("x" * 131_073, "é" * 65_537, "🌊" * 32_769, "\0" * 131_073):
        yield post(START, {"prompt": text}, PROMPT_TOO_LARGE)
        yield post(START, {"prompt": "Hello?", "system": text[:-1]}, PROMPT_TOO_LARGE)
    yield post(START, {"messages": [{"role": "user", "content": "x" * 44_000}] * 3}, PROMPT_TOO_LARGE)
    for key in ("", "k" * 129, "k\tk"):
        yield post(START, ask, (400, "invalid_idempotency_key"), Idempotency_Key=key)


_KNOBS: dict[str, list[Any]] = {
    "maxTokens": [0, -1, 1.5, "5", True, 1_000_001, 10**30],
    "temperature": [-0.1, 2.1, "0.5", True, [], 10**400],
    "replaces": [0, -1, 1.5, "1", True, 2**31 + 1],
    "stream": ["no", 0, 1, []],
    "model": ["", "m" * 201, "a\nb", "a\0b", 1],
    "provider": ["", "p" * 201, 1, ["openai"]],
    "system": [1, ["Be brief."]],
}


def stops_and_deletes() -> Iterator[Bad]:
    """What can't be stopped or deleted."""
    for path in (STOP, DELETE):
        yield post(path, {}, INVALID_REQUEST)
        yield post(path, {"sessionId": None}, INVALID_FIELD)
    for generation in (0, -1, 1.5, "1", True, 2**40, [1]):
        yield post(STOP, {"sessionId": GOOD, "generation": generation}, INVALID_FIELD)
    yield post(DELETE, {"sessionId": GOOD, "generation": 1}, UNKNOWN_FIELD)
    yield post(STOP, {"sessionId": GOOD}, (404, "session_not_found"))


def views() -> Iterator[Bad]:
    """What consume-stream does not show."""
    yield get(CONSUME, INVALID_SESSION)
    for bad in BAD_SESSIONS:
        yield get(CONSUME, INVALID_SESSION, {"sessionId": bad})
    invalid_point = (400, "invalid_resume_point")
    for point in _BAD_POINTS:
        yield get(CONSUME, invalid_point, {"sessionId": GOOD, "lastEventId": point})
        yield get(SESSIONS + GOOD, invalid_point, {"before": point})
        if point.isascii() and point.isprintable() and point == point.strip():
            yield get(CONSUME, invalid_point, {"sessionId": GOOD, "lastEventId": "1-1"}, Last_Event_ID=point)
    yield get(SESSIONS + GOOD, invalid_point, {"before": ""})
    for follow in ("", "Answer", "all", "answer,session"):
        yield get(CONSUME, (400, "invalid_follow"), {"sessionId": GOOD, "follow": follow})
    for limit in ("", "0", "51", "-1", "+5", "1.5", "x", "٣", "²", "9" * 5000):
        yield get(SESSIONS + GOOD, (400, "invalid_limit"), {"limit": limit})
    for bad in ("short", "x" * 65, "{braces}", "glob****", "nul%00nul1", "new%0Aline1", "%C3%BCnic%C3%B6de", "%FF" * 9):
        yield get(SESSIONS + bad, INVALID_SESSION)
    for path in (CONSUME, SESSIONS + GOOD):
        yield get(path, (404, "session_not_found"), {"sessionId": GOOD})


_BAD_POINTS = [
    "x", "1", "-", "1-", "-1", "1-2-3", "1--2", "-1-2", "1-x", "0x1-1", "00", "1_0-1", "$", ">", "*", "1.5-1", "1,1",
    "9" * 21 + "-1", "18446744073709551616-0", "0-18446744073709551616", " 1-1", "1-1\n", "١-١", "1-1\0", "null",
]  # fmt: skip


def methods_and_paths(routes: dict[str, str], foreign: tuple[str, ...]) -> Iterator[Bad]:
    """Methods that these routes don't take, and paths that are nobody's here."""
    for path, allowed in routes.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            if method not in allowed:
                yield Bad(method, path, (405, "method_not_allowed"), None, ())
    nowhere = (
        "/",
        "/api",
        "/api/",
        "/api/nothing",
        "/favicon.ico",
        "/API/models",
        "/%00",
        "/%ff%fe",
        "//",
        "/a" * 4000,
    )
    for path in (*nowhere, *foreign, *(f"{path}/" for path in routes)):
        for method in ("GET", "POST"):
            yield Bad(method, path, (404, "not_found"), b"{}" if method == "POST" else None, ())


GENERATE = [
    *bodies(START), *bodies(STOP), *bodies(DELETE), *starts(), *stops_and_deletes(),
    *methods_and_paths(
        {START: "POST", STOP: "POST", DELETE: "POST", "/api/models": "GET", "/healthz": "GET", "/readyz": "GET",
         "/metrics": "GET"},
        (CONSUME, SESSIONS + GOOD),
    ),
]  # fmt: skip

CONSUMING = [
    *views(),
    *methods_and_paths(
        {CONSUME: "GET", SESSIONS + GOOD: "GET", "/healthz": "GET", "/readyz": "GET", "/metrics": "GET"},
        (START, STOP, DELETE, "/api/models", SESSIONS, "/api/sessions", SESSIONS + GOOD + "/generations"),
    ),
]  # fmt: skip
