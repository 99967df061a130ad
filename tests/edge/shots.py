"""One shot: what goes over one connection, drawn from a seed and a number so that it can be fired again."""

from random import Random
from typing import NamedTuple

from tests.edge import frames, framing
from tests.edge.heads import GETS, POSTS, headers, line, query
from tests.edge.texts import NASTY_BYTES, bent, json_body
from tests.edge.upgrades import handshake

FORGED = b"forged-by-a-body"
"""The id of requests that stand in the body of another one: an answer that names it answers what nobody asked."""

_FORGED_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: rejoin\r\nX-Request-ID: " + FORGED + b"\r\n\r\n"


_LAST = b"GET /healthz HTTP/1.1\r\nHost: rejoin\r\nConnection: close\r\n\r\n"
"""After what is whole the answer to this ends the connection, so that nobody has to wait for silence."""


class Shot(NamedTuple):
    """Bytes, in the pieces in which they are written; whether the peer then hangs up without reading; at whom."""

    pieces: list[bytes]
    hangs_up: bool
    at_consume: bool
    then: tuple[bytes, ...] = ()
    """What a WebSocket's client says once it has the head of its answer."""
    ends: bool = False
    """Whether a WebSocket has to be closed for that."""


def shot(seed: int, number: int) -> Shot:
    """The shot of this number."""
    draw = Random(f"{seed}/{number}")
    kind = draw.random()
    if kind > 0.78:
        return _upgrade(draw)
    if kind < 0.1:
        raw = _orderly(draw)
    elif kind < 0.13:
        raw = b"".join(draw.choices(NASTY_BYTES, k=draw.randrange(1, 40)))
    else:
        raw = b"".join(_request(draw) for _ in range(draw.choice([1, 1, 1, 2, 3, 12])))
        raw = bent(draw, raw, 0.6) if draw.random() < 0.1 else raw
    at_consume = any(path in raw for path in (b"consume", b"sessions", b"read-stream"))
    if draw.random() < 0.2:
        at_consume = not at_consume
    return Shot(_pieces(draw, raw + _LAST), draw.random() < 0.1, at_consume)


def _upgrade(draw: Random) -> Shot:
    raw, (said, ends) = handshake(draw), frames.said(draw)
    if draw.random() < 0.05:
        # What comes before the answer to the handshake may be heard or not.
        raw, ends = raw + b"".join(said), False
    return Shot(_pieces(draw, raw), draw.random() < 0.05, draw.random() < 0.95, tuple(said), ends)


def _orderly(draw: Random) -> bytes:
    # Whatever its body says, this is one request: by the rules nobody can read two.
    frames = framing.by_length, lambda body: framing.in_chunks(draw, body)
    frame, body = draw.choice(frames)(json_body(draw) + _FORGED_REQUEST * 2)
    path = draw.choice(POSTS)
    head = [b"POST " + path + b" HTTP/1.1", b"Host: rejoin", b"Content-Type: application/json", *frame, b"", b""]
    return b"\r\n".join(head) + body


def _request(draw: Random) -> bytes:
    is_post = draw.random() < 0.6
    method, path = (
        (b"POST", draw.choice(POSTS[:1] * 3 + POSTS)) if is_post else (b"GET", draw.choice(GETS[:3] * 3 + GETS))
    )
    lines = headers(draw)
    frame, body = _framed(draw, is_post=is_post)
    if is_post and draw.random() < 0.9:
        lines.append(b"Content-Type: application/json")
    draw.shuffle(lines)
    asked = b"" if is_post else query(draw)
    end = b"\r\n" if draw.random() < 0.98 else b"\n"
    return end.join([line(draw, method, path, asked), *lines, *frame, b"", b""]) + body


def _framed(draw: Random, *, is_post: bool) -> framing.Framed:
    if not is_post and draw.random() < 0.9:
        return [], b""
    body, kind = json_body(draw), draw.random()
    if kind < 0.6:
        return framing.by_length(body)
    return framing.in_chunks(draw, body) if kind < 0.85 else framing.lying(draw, body)


def _pieces(draw: Random, raw: bytes) -> list[bytes]:
    if draw.random() < 0.7:
        return [raw]
    size = max(1, len(raw) // draw.choice([2, 5, 50]))
    return [raw[at : at + size] for at in range(0, len(raw), size)]
