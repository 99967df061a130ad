"""Handshakes of WebSockets: good ones, and those in which one thing or another is not as it must be."""

from random import Random

from tests.edge import framing, heads
from tests.edge.texts import NASTY_BYTES, SESSIONS, bent

SECRET = b"hunter2-never-to-be-shown"
"""In whatever a client is trusted with: it comes back in no answer, and is in no log."""

_PATHS = [b"/api/consume-stream"] * 30 + [b"/api/read-stream", b"/api/models", b"/api/generate-stream", b"/healthz"]
_GOOD = {
    b"Host": b"rejoin",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Version": b"13",
    b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==",
}
_SPELLINGS = {
    b"Host": [b"", b"other"],
    b"Upgrade": [b"WebSocket", b"WEBSOCKET", b"websocket/13", b"h2c, websocket", b"websocket, h2c", b"web socket", b""],
    b"Connection": [
        b"upgrade", b"keep-alive, Upgrade", b"Upgrade, close", b"keep-alive", b"close", b",Upgrade,", b"Up grade", b"",
        b'"Upgrade"', b"Upgrade" + b", x" * 2000,
    ],
    b"Sec-WebSocket-Version": [b"12", b"8, 13", b"013", b"13.0", b"1" * 5000, b"-13", b""],
    b"Sec-WebSocket-Key": [
        b"", b"AA==", b"dGhlIHNhbXBsZSBub25jZQ", b"dGhlIHNhbXBsZSBub25jZQ== ", b"=" * 24, b"dGhl IHNhbXBsZSBub25jZQ==",
        SECRET, b"A" * 24, b"x" * 9000,
    ],
}  # fmt: skip
_MORE = [
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", b"Sec-WebSocket-Extensions: a;b=\"c",
    b"Sec-WebSocket-Extensions: " + b"x, " * 2000, b"Sec-WebSocket-Protocol: chat, superchat",
    b"Sec-WebSocket-Protocol: bearer " + SECRET, b"Sec-WebSocket-Protocol: " + b"x, " * 2000 + b"x",
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"Authorization: Bearer " + SECRET,
    b"Cookie: __Host-rejoin=" + SECRET, b"Origin: null", b"Origin: http://rejoin", b"Origin: https://evil.example",
    b"X-It: \xe9\xff", b"X-It: " + b"x" * 9000, b"X-It: " + b"x" * 40_000, b"X-It: \x7f", b"Transfer-Encoding: chunked",
    b"Content-Length: 0", b"Content-Length: 5", b"Expect: 100-continue", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
]  # fmt: skip


def handshake(draw: Random) -> bytes:
    """A request for a WebSocket: mostly one that is granted."""
    method = b"GET" if draw.random() < 0.97 else draw.choice([b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"get"])
    version = b"HTTP/1.1" if draw.random() < 0.97 else draw.choice([b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2"])
    lines = [line for name in _GOOD for line in _lines(draw, name)]
    lines += draw.choices(_MORE, k=draw.choice([0, 0, 0, 0, 0, 0, 1, 2]))
    lines += [b"X-It: 1"] * draw.choice([0] * 40 + [94, 95, 120])
    if draw.random() < 0.1:
        lines += heads.headers(draw)
    if draw.random() < 0.3:
        draw.shuffle(lines)
    body = framing.lying(draw, b"hello") if draw.random() < 0.03 else ([], b"")
    head = b"\r\n".join([b" ".join([method, _target(draw), version]), *lines, *body[0], b"", b""])
    return bent(draw, head, 0.6) if draw.random() < 0.03 else head + body[1]


def _target(draw: Random) -> bytes:
    if draw.random() < 0.05:
        return draw.choice(_PATHS) + heads.query(draw)
    query = b"?sessionId=" + draw.choice(SESSIONS).encode()
    query += draw.choice([b"&follow=session"] * 4 + [b"", b"&follow=session&ping=event", b"&lastEventId=1-1"])
    query += draw.choice([b""] * 20 + [b"&share=" + SECRET, b"&x=" + b"y" * 9000, b"&ping=never"])
    return draw.choice(_PATHS) + query


def _lines(draw: Random, name: bytes) -> list[bytes]:
    kind = draw.random()
    value = _GOOD[name] if kind < 0.97 else draw.choice(_SPELLINGS[name] + NASTY_BYTES)
    return [name + b": " + value] * (1 if draw.random() < 0.99 else draw.choice([0, 2]))
