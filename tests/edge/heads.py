"""Heads of requests: a line and header lines, near enough to real ones to be read, and what breaks the reading."""

from random import Random
from urllib.parse import quote_from_bytes

from tests.edge.texts import NASTY_BYTES, NASTY_ENCODED, NUMBERS, POINTS, SESSIONS

POSTS = [b"/api/generate-stream", b"/api/stop-stream", b"/api/delete-stream", b"/api/share-stream", b"/api/login"]
GETS = [
    b"/api/consume-stream", b"/api/sessions/", b"/api/read-stream", b"/api/models", b"/api/login", b"/api/share-stream",
    b"/healthz", b"/readyz",
    b"/metrics", b"/api/generate-stream/openapi.json", b"/api/consume-stream/openapi.json",
    b"/api/consume-stream/doctor",
]  # fmt: skip
_METHODS = [
    b"PUT",
    b"HEAD",
    b"OPTIONS",
    b"DELETE",
    b"PATCH",
    b"TRACE",
    b"CONNECT",
    b"PRI",
    b"get",
    b"G\0T",
    b"",
    b"X" * 99,
]
_VERSIONS = [b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/11", b"http/1.1", b"HTTP/1.1 ", b"", b"\xff"]
_QUERY = {
    b"sessionId": [session.encode() for session in SESSIONS], b"follow": [b"answer", b"session"],
    b"lastEventId": POINTS,
    b"limit": NUMBERS, b"before": POINTS, b"ping": [b"comment", b"event"], b"share": [b"a.b.c", b"x" * 9000],
    b"seconds": NUMBERS, b"every": NUMBERS, b"after": POINTS, b"generation": NUMBERS,
    b"wait": [b"0.2", b"30", *NUMBERS],
}  # fmt: skip
_VALUES = {
    b"Last-Event-ID": POINTS, b"Idempotency-Key": [b"a-key", b"k" * 128, b"k" * 129], b"Origin": [b"null",
    b"http://a.b"],
    b"Authorization": [b"Bearer a.b.c", b"Bearer", b"Basic eDp5", b"Bearer " + b"x" * 9000], b"Range": [b"bytes=0-1"],
    b"Cookie": [b"__Host-rejoin=a.b.c", b"a=b; " * 500, b"=;=;"], b"Expect": [b"100-continue", b"200-ok"],
    b"Accept": [b"text/plain", b"text/plain;q=0.5, */*;q=.1", b"a/b;q=9" * 999, b";,q=1"],
    b"X-Request-ID": [b"id with spaces", b"x" * 129, b"a\tb"], b"Accept-Encoding": [b"gzip, br;q=9"],
    b"Upgrade": [b"h2c"],
    b"Connection": [b"close", b"keep-alive, Upgrade", b"Content-Length"], b"Sec-Fetch-Site": [b"cross-site"],
    b"Content-Encoding": [b"gzip"], b"traceparent": [b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"x" * 4000],
    b"X-Forwarded-For": [b"1.2.3.4, ::1", b"x" * 4000], b"X-Forwarded-Proto": [b"gopher"],
    b"X-HTTP-Method-Override": [b"PUT"],
    b"Access-Control-Request-Method": [b"POST"], b"If-None-Match": [b"*"], b"Content-Type": [b"text/plain",
    b"x" * 4000],
}  # fmt: skip
_BROKEN_LINES = [
    b"NoColon", b": no name", b"Space : x", b"Host: other", b"X\0: y", b" folded", b"\tfolded", b"X-\xe9: \xff",
    b"X: a\rb: c",
    b"X: a\nY: b", b"Content-Length : 5", b"X" * 70_000 + b": y", b"X: " + b"y" * 100_000, b"(): x", b"X:",
    b"X:\x0bchunked",
]  # fmt: skip


def line(draw: Random, method: bytes, path: bytes, asked: bytes) -> bytes:
    """A request line, mostly a good one."""
    if path == b"/api/sessions/":
        path += draw.choice(SESSIONS).encode() if draw.random() < 0.7 else draw.choice(NASTY_ENCODED) * 5
    target = _bent_target(draw, path + asked)
    method = method if draw.random() < 0.95 else draw.choice(_METHODS)
    version = b"HTTP/1.1" if draw.random() < 0.95 else draw.choice(_VERSIONS)
    return draw.choice([b" "] * 40 + [b"  ", b"\t"]).join([method, target, version])


def query(draw: Random) -> bytes:
    """A query, or none."""
    if draw.random() < 0.2:
        return b""
    names = [
        b"sessionId",
        *draw.choices(list(_QUERY), k=draw.choice([0, 1, 2, 3, 200] if draw.random() < 0.1 else [0, 1, 2])),
    ]
    pairs = [name + b"=" + _query_value(draw, name) for name in names]
    return b"?" + b"&".join(pairs)


def headers(draw: Random) -> list[bytes]:
    """Header lines beside those that frame the body: Host, and whatever else is drawn."""
    lines = [b"Host: rejoin"] if draw.random() < 0.98 else []
    for name in draw.choices(list(_VALUES), k=draw.choice([0, 0, 1, 2, 4])):
        value = draw.choice(_VALUES[name]) if draw.random() < 0.93 else draw.choice(NASTY_BYTES)
        lines += [name + b": " + value] * draw.choice([1, 1, 1, 2])
    if draw.random() < 0.03:
        lines.insert(draw.randrange(len(lines) + 1), draw.choice(_BROKEN_LINES))
    if draw.random() < 0.01:
        lines += [b"X-Many: %d" % number for number in range(draw.choice([90, 110, 2000]))]
    return lines


def _query_value(draw: Random, name: bytes) -> bytes:
    kind = draw.random()
    if kind < 0.75:
        return quote_from_bytes(draw.choice(_QUERY[name])).encode()
    return draw.choice(NASTY_ENCODED) if kind < 0.98 else draw.choice(NASTY_BYTES)


def _bent_target(draw: Random, target: bytes) -> bytes:
    if draw.random() < 0.93:
        return target
    bends = [
        b"http://elsewhere.example" + target, b"//" + target, target + b"/", b"*", b"elsewhere.example:80",
        b"http://[::1",
        b"/.." + target, target + b"#x", target.upper(), target.replace(b"/", b"%2f"), target.replace(b"/", b"\\"),
        target + b"?" * 1000, target + b"x" * 66_000, b"", target + draw.choice(NASTY_BYTES),
        target + draw.choice(NASTY_ENCODED),
    ]  # fmt: skip
    return draw.choice(bends)
