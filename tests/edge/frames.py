"""Frames of a WebSocket: those that a client may send, or must not, and what is wrong with those that come back."""

import json
import struct
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.edge.texts import NASTY_BYTES

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_LARGEST = 125
_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""That may be told in a close: RFC 6455, 7.4, and its registry."""

_BAD_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]


class Frame(NamedTuple):
    """One that came whole."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """That a close tells; None where it tells none."""
        return struct.unpack_from("!H", self.payload)[0] if self.opcode == CLOSE and self.payload else None


def frame(opcode: int, payload: bytes = b"", *, bits: int = 0x80, masked: bool = True, length: int = -1) -> bytes:
    """One as a client sends it: `bits` are FIN and the reserved ones, `length` is what it says of itself."""
    said, mask = (len(payload) if length < 0 else length), 0x80 if masked else 0
    if said <= _LARGEST:
        size = bytes([mask | said])
    else:
        size = bytes([mask | 126]) + struct.pack("!H", said) if said < 2**16 else bytes([mask | 127]) + said.to_bytes(8)
    # Masked with zeros, so that a payload can be read in what a failure shows.
    return bytes([bits | opcode]) + size + (b"\0\0\0\0" if masked else b"") + payload


def close(code: int, reason: bytes = b"") -> bytes:
    """The last one."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def said(draw: Random) -> tuple[list[bytes], bool]:
    """What a client says after the handshake, in pieces; whether the server has to close, and with that alone."""
    before = [_good(draw) for _ in range(draw.choice([0, 0, 1, 3]))]
    kind = draw.random()
    if kind < 0.2:
        last, ends = draw.choice([close(1000), close(3999, b"bye"), close(1001), frame(CLOSE)]), True
    elif kind < 0.7:
        last, ends = _broken(draw), True
    elif kind < 0.85:
        last, ends = _flood(draw), False
    else:
        last, ends = _unended(draw), False
    raw = b"".join(before) + last
    size = draw.choice([2000, 2000, 1000, 7]) if len(raw) < 2000 else len(raw)
    return [raw[at : at + size] for at in range(0, len(raw), size)], ends


def frames(raw: bytes) -> Iterator[Frame]:
    """Cut what a server sent, as far as it came whole. Raises ValueError for what it must not send."""
    while len(raw) >= 2:
        first, length = raw[0], raw[1]
        at = {126: 4, 127: 10}.get(length, 2)
        size = int.from_bytes(raw[2:at]) if at > 2 else length
        if first & 0x70 or not first & 0x80 or length & 0x80 or first & 0xF not in (TEXT, CLOSE, PING, PONG):
            raise ValueError(f"no frame of a server's: {raw[:50]!r}")
        if len(raw) < at + size:
            return
        yield Frame(first & 0xF, raw[at : at + size])
        raw = raw[at + size :]


def wrong(told: list[Frame]) -> str:
    """What is wrong with them; empty where nothing is."""
    for each in told:
        if each.opcode == TEXT and not _is_json(each.payload):
            return f"a message that is no JSON: {each.payload!r}"
        if each.opcode != TEXT and len(each.payload) > _LARGEST:
            return f"a control frame of {len(each.payload)} bytes"
        if each.opcode == CLOSE and each.payload and (each.code not in _CODES or not _is_text(each.payload[2:])):
            return f"a close that is none: {each.payload!r}"
    codes = [each.opcode for each in told]
    # Pings may come later than the close of who sent them, and are still answered.
    if CLOSE in codes and set(codes[codes.index(CLOSE) + 1 :]) - {PONG}:
        return f"frames behind the close: {told[codes.index(CLOSE) :][:3]}"
    return ""


def _good(draw: Random) -> bytes:
    payload = bytes(draw.randrange(256) for _ in range(draw.choice([0, 1, _LARGEST])))
    return draw.choice([
        frame(TEXT, b"ping"), frame(PING, payload), frame(PONG, payload),
        frame(TEXT, b"pi", bits=0) + frame(PING, payload) + frame(CONTINUATION, b"ng"),
    ])  # fmt: skip


def _broken(draw: Random) -> bytes:
    return draw.choice([
        frame(TEXT, b"ping", masked=False), frame(PING, masked=False), frame(CLOSE, masked=False),
        frame(TEXT, b"ping", bits=draw.choice([0xC0, 0xA0, 0x90, 0xF0])),
        frame(draw.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), b"x"),
        frame(TEXT, b"x" * draw.choice([5, 126, 4096])), frame(TEXT, draw.choice(["Hello?", "🌊", ""]).encode()),
        frame(TEXT, b"", length=draw.choice([4097, 65_536, 2**31, 2**63, 2**64 - 1])),
        frame(BINARY, draw.choice(NASTY_BYTES)), frame(TEXT, draw.choice([b"\xff", b"\xed\xa0\x80", b"\xc3"])),
        frame(CONTINUATION, b"ng"), frame(TEXT, b"pi", bits=0) + frame(TEXT, b"ping"),
        frame(TEXT, b"\xf0\x9f", bits=0) + frame(CONTINUATION, b"\x8c"),
        frame(TEXT, b"x", bits=0) + frame(CONTINUATION, b"x", bits=0) * draw.choice([8, 20]),
        frame(TEXT, b"x" * 4000, bits=0) + frame(CONTINUATION, b"x" * 97),
        frame(draw.choice([CLOSE, PING, PONG]), b"x" * draw.choice([126, 4096])), frame(PING, b"x", bits=0),
        close(draw.choice(_BAD_CODES)), close(1000, b"\xff"), frame(CLOSE, b"\x03"),
        frame(TEXT, b"pi", bits=0) + close(1000),
        # As if compression had been agreed on.
        frame(TEXT, b"\x2a\xc8\xcc\x4b\x07\x00", bits=0xC0), frame(BINARY, b"\xff" * 100, bits=0xC0),
    ])  # fmt: skip


def _unended(draw: Random) -> bytes:
    return draw.choice([
        b"\x81", b"\x81\x84", b"\x81\x84\0\0", b"\x81\xfe", b"\x81\xff\0\0\0", frame(TEXT, b"pi", length=4),
        frame(TEXT, b"pi", bits=0), frame(TEXT, b"pi", bits=0) + frame(CONTINUATION, b"", bits=0) * 7, b"",
        b"".join(draw.choices(NASTY_BYTES, k=20)), b"GET /healthz HTTP/1.1\r\nHost: rejoin\r\n\r\n",
    ])  # fmt: skip


def _flood(draw: Random) -> bytes:
    return draw.choice([
        frame(PING, b"x" * _LARGEST) * 2000, frame(PING) * 10_000, frame(PONG) * 10_000, frame(TEXT, b"ping") * 3000,
        frame(TEXT) * 10_000, frame(PING) * 99,
        (frame(TEXT, b"pi", bits=0) + frame(PING) * 99 + frame(CONTINUATION, b"ng")) * 50,
    ])  # fmt: skip


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
