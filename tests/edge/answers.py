"""What came back over one connection, cut into answers, and what is wrong with them."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.edge import frames
from tests.edge.frames import Frame

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z' -]*")
_HEADER = re.compile(rb"([A-Za-z-]+): ([\x20-\x7e]*)")
_HEADERS = {
    b"access-control-allow-credentials", b"access-control-allow-headers", b"access-control-allow-methods",
    b"access-control-allow-origin", b"access-control-expose-headers", b"access-control-max-age", b"allow",
    b"cache-control", b"connection", b"content-length", b"content-security-policy", b"content-type",
    b"cross-origin-resource-policy", b"date", b"referrer-policy", b"retry-after", b"set-cookie", b"transfer-encoding",
    b"vary", b"www-authenticate", b"x-accel-buffering", b"x-content-type-options", b"x-frame-options", b"x-request-id",
    b"permissions-policy", b"cross-origin-opener-policy", b"upgrade", b"sec-websocket-accept", b"sec-websocket-version",
}  # fmt: skip
_BUSY = {"too_many_running"}
"""All that a service may say with a 5xx while its Redis is there and nobody drains it."""


class Answer(NamedTuple):
    """One response, as far as it came. After a 101 all that came is its body."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def code(self) -> str:
        """The error's code; empty where there is none."""
        try:
            return str(json.loads(self.body)["error"]["code"])
        except (ValueError, KeyError, TypeError):
            return ""

    @property
    def frames(self) -> list[Frame]:
        """Those of the WebSocket that it begins. Raises Malformed."""
        try:
            return list(frames.frames(self.body)) if self.status == 101 else []
        except ValueError as error:
            raise Malformed(error) from error


class Malformed(Exception):
    """What came is no HTTP, or no WebSocket."""


def answers(raw: bytes) -> Iterator[Answer]:
    """Cut it. Raises Malformed."""
    while raw:
        if raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            raw = raw[25:]
            continue
        head, end, raw = raw.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        found = _STATUS.fullmatch(status)
        headers = [_HEADER.fullmatch(line) for line in lines]
        if not (end and found and all(headers)):
            raise Malformed(head[:300])
        named = {match[1].lower(): match[2] for match in headers if match}
        body, raw = _body(int(found[1]), named, raw)
        yield Answer(int(found[1]), named, body)


def wrong(answer: Answer) -> str:
    """What is wrong with it; empty where nothing is."""
    if answer.headers.keys() - _HEADERS:
        return f"headers that we never send: {answer.headers.keys() - _HEADERS}"
    if answer.status >= 500 and answer.code not in _BUSY:
        return f"{answer.status} {answer.body[:200]!r}"
    if answer.status == 101:
        return frames.wrong(answer.frames)
    # Of an answer to HEAD there is only the head.
    if answer.status >= 400 and answer.body and not answer.code:
        return f"an error without its code: {answer.status} {answer.body[:200]!r}"
    return ""


def _body(status: int, headers: dict[bytes, bytes], raw: bytes) -> tuple[bytes, bytes]:
    if status == 101:
        return raw, b""
    # The next answer right after a head: this one was to HEAD.
    if status in (204, 304) or raw.startswith(b"HTTP/1.1 "):
        return b"", raw
    if headers.get(b"transfer-encoding") != b"chunked":
        length = int(headers.get(b"content-length", b"0"))
        return raw[:length], raw[length:]
    body = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        body, raw = body + raw[:length], raw[length + 2 :]
        if not length:
            break
    return body, raw
