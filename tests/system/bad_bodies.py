"""Bodies that no route of generate-stream takes, and what can not be stopped or deleted."""

import json
from collections.abc import Iterator
from typing import Any

from tests.system.bad_request import (
    BAD_SESSIONS,
    BODY_TOO_LARGE,
    DELETE,
    GOOD,
    INVALID_FIELD,
    INVALID_JSON,
    INVALID_REQUEST,
    INVALID_SESSION,
    NOT_JSON,
    START,
    STOP,
    UNKNOWN_FIELD,
    Bad,
    post,
)


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
    no_ids: list[Any] = [12_345_678, ["a-session"], {"id": "a-session"}, True]
    for no_id in no_ids:
        yield post(path, fields | {"sessionId": no_id}, INVALID_FIELD)
    large = 64 * 1024 + (6 * 131_072 if path == START else 0)
    oversized = post(path, good.encode().ljust(large + 1), BODY_TOO_LARGE)
    yield oversized
    yield oversized._replace(chunked=True)


def stops_and_deletes() -> Iterator[Bad]:
    """What can't be stopped or deleted."""
    for path in (STOP, DELETE):
        yield post(path, {}, INVALID_REQUEST)
        yield post(path, {"sessionId": None}, INVALID_FIELD)
    for generation in (0, -1, 1.5, "1", True, 2**40, [1]):
        yield post(STOP, {"sessionId": GOOD, "generation": generation}, INVALID_FIELD)
    yield post(DELETE, {"sessionId": GOOD, "generation": 1}, UNKNOWN_FIELD)
    yield post(STOP, {"sessionId": GOOD}, (404, "session_not_found"))
