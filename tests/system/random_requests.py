"""Requests that nobody would write: random on every level, but near enough to real ones to get through the door."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

from tests.system.bad_request import CONSUME, DELETE, GOOD, SESSIONS, START, STOP

_NEVER_BEGUN = 2**31
"""Replacing this, a start goes all the way to Redis and is refused there."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_SESSION = st.sampled_from([GOOD, "another-session"]) | TEXT
_POINT = st.sampled_from(["0", "1-1", "0-0", "18446744073709551615-18446744073709551615"]) | TEXT
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]) | TEXT, "content": TEXT | _JSON}
)


class Request(NamedTuple):
    """One request for either service."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[bytes, bytes]
    body: bytes


def _fields(kinds: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields, each sometimes with what it doesn't take; seldom a field more."""
    mostly = {name: st.one_of(kind, kind, kind, _JSON) for name, kind in kinds.items()}
    return st.builds(
        lambda some, more: more | some,
        st.fixed_dictionaries({}, optional=mostly),
        st.just({}) | st.just({}) | st.dictionaries(TEXT, _JSON, max_size=1),
    )


_START_BODY = _fields(
    {
        "sessionId": _SESSION, "prompt": TEXT, "messages": st.lists(_MESSAGE, max_size=3), "system": TEXT,
        "provider": st.just("demo"), "model": TEXT, "maxTokens": st.integers(1, 1000), "temperature": st.floats(0, 2),
        "stream": st.booleans(), "metadata": st.dictionaries(TEXT, TEXT, max_size=3),
    }
).map(lambda fields: fields | {"replaces": _NEVER_BEGUN})  # fmt: skip
_OTHER_BODY = _fields({"sessionId": _SESSION, "generation": st.integers()})


def _raw(value: Any) -> bytes:
    return json.dumps(value).encode()


_BODIES = st.one_of(
    _START_BODY.map(_raw), _START_BODY.map(_raw), _OTHER_BODY.map(_raw), _JSON.map(_raw), st.binary(max_size=200)
)
_HEADER_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=150)
_HEADERS = st.dictionaries(
    st.sampled_from([b"Idempotency-Key", b"Last-Event-ID", b"Accept", b"Accept-Encoding", b"Origin", b"Cookie",
                     b"Range", b"Content-Encoding", b"X-Forwarded-For", b"If-None-Match"]),
    _HEADER_VALUES.map(lambda text: text.strip(" \x85\xa0").encode("latin-1")),
    max_size=3,
)  # fmt: skip
_JSON_TYPE = st.just(b"application/json")
_TYPES = st.one_of(_JSON_TYPE, _JSON_TYPE, _JSON_TYPE, _HEADER_VALUES.map(lambda text: text.strip().encode()))
_QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "sessionId": _SESSION, "lastEventId": _POINT, "follow": st.sampled_from(["answer", "session"]) | TEXT,
        "limit": st.integers(0, 60).map(str) | TEXT, "before": _POINT,
    },
)  # fmt: skip
_METHODS = st.sampled_from(["POST", "GET", "PUT", "HEAD", "OPTIONS"])
_PATHS = st.sampled_from([START, STOP, DELETE, CONSUME, SESSIONS + GOOD, "/api/models", "/healthz", "/metrics", "/"])
_ANY_SESSION = _SESSION.map(lambda text: SESSIONS + quote(text, safe=""))


def _requests(
    method: st.SearchStrategy[str], path: st.SearchStrategy[str], body: st.SearchStrategy[bytes]
) -> st.SearchStrategy[Request]:
    return st.builds(
        lambda method, path, query, headers, media_type, body: Request(
            method, path, query, headers | {b"Content-Type": media_type}, body
        ),
        method, path, _QUERIES, _HEADERS, _TYPES, body,
    )  # fmt: skip


_EMPTY = st.just(b"")
REQUESTS = st.one_of(
    _requests(st.just("POST"), st.just(START), _START_BODY.map(_raw)),
    _requests(st.just("POST"), st.sampled_from([START, STOP, DELETE]), _BODIES),
    _requests(st.just("GET"), st.just(CONSUME), _EMPTY),
    _requests(st.just("GET"), _ANY_SESSION, _EMPTY),
    _requests(_METHODS, _PATHS | _ANY_SESSION, _BODIES),
)

_LINES = st.sampled_from(
    [
        b"POST /api/generate-stream HTTP/1.1\r\n", b"GET /api/consume-stream?sessionId=a-session HTTP/1.1\r\n",
        b"GET /api/sessions/%f0%28%8c%28 HTTP/1.0\r\n", b"POST /api/stop-stream HTTP/9.9\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"GET /api/sessions/\xff\xfe\x00 HTTP/1.1\r\n", b"GET http://[::1 HTTP/1.1\r\n", b"CONNECT a:b HTTP/1.1\r\n",
        b"Host: rejoin\r\n", b"Host: \xff\x00\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n",
        b"Content-Type: application/json\r\n", b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Upgrade: h2c\r\n",
        b"Expect: 100-continue\r\n", b"Last-Event-ID: \xe9\xff\r\n", b"Idempotency-Key: \xff\r\n", b" folded\r\n",
        b"\r\n", b"5\r\n{\"a\":\r\n", b"0\r\n\r\n", b"zz\r\n", b'{"prompt":1}', b"\n", b"\x16\x03\x01\x02\x00\x01",
    ]
)  # fmt: skip

BROKEN_HTTP = st.lists(_LINES | st.binary(max_size=40), min_size=1, max_size=12).map(b"".join)
"""Whatever a socket may bring: pieces of HTTP in any order, and bytes between."""
