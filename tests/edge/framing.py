"""How a body says where it ends: in good order, or in one of the ways by which two readers come to two ends."""

from random import Random

Framed = tuple[list[bytes], bytes]
"""The header lines that frame it, and the bytes that follow the head."""

LIES = [
    b"-1", b"+5", b"0x5", b"5, 5", b"5,6", b"5 5", b"", b" ", b"\x0b5", b"1e1", b"5.0", b"9" * 19, b"9" * 400,
    "５".encode(),
    b"18446744073709551616", b"4294967296", b"2147483648",
]  # fmt: skip
CODINGS = [
    b"chunked, identity", b"identity, chunked", b"xchunked", b"chunked;x", b"\x0bchunked", b"chunked\x0b",
    b'"chunked"',
    b"CHUNKED", b"gzip", b"gzip, chunked", b"chunked, chunked", b"", b"chunked,", b"cow",
]  # fmt: skip
SIZES = [
    b"-5", b"0x5", b"5 ", b" 5", b"+5", b"f" * 16, b"f" * 17, b"1" + b"0" * 16, b"zz", b"", b"5;" + b"x" * 5000,
    b"5;a=\0",
    b"5\n", b"5\rX", b"00000000000000000000005",
]  # fmt: skip


def by_length(body: bytes) -> Framed:
    """As long as it says."""
    return [b"Content-Length: %d" % len(body)], body


def in_chunks(draw: Random, body: bytes) -> Framed:
    """In chunks of any sizes, some with extensions, perhaps with trailers."""
    pieces = []
    while body:
        size = draw.choice([1, 2, 7, 100, 5000])
        piece, body = body[:size], body[size:]
        extension = draw.choice([b"", b"", b"", b";a=b", b';a="b;c"'])
        pieces.append(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece))
        if len(pieces) > 200:
            pieces.append(b"%X\r\n%s\r\n" % (len(body), body) if body else b"")
            break
    trailers = draw.choice([b"", b"", b"X-Trailer: y\r\n", b"Content-Length: 3\r\nHost: other\r\n"])
    return [b"Transfer-Encoding: chunked"], b"".join(pieces) + b"0\r\n" + trailers + b"\r\n"


def lying(draw: Random, body: bytes) -> Framed:
    """Against the rules, or so that the length is not what comes."""
    length, chunked = len(body), in_chunks(draw, body)[1]
    shapes: list[Framed] = [
        ([b"Content-Length: %d" % (length + draw.choice([1, 7, 10**6]))], body),
        ([b"Content-Length: %d" % max(0, length - draw.choice([1, 7]))], body),
        ([b"Content-Length: " + draw.choice(LIES)], body),
        ([b"Content-Length: %d" % length, b"Content-Length: %d" % draw.choice([0, length, length + 1])], body),
        ([b"Content-Length: %d" % draw.choice([0, 4, len(chunked)]), b"Transfer-Encoding: chunked"], chunked),
        ([b"Transfer-Encoding: chunked", b"Content-Length: %d" % draw.choice([0, 4, length])], chunked),
        ([b"Transfer-Encoding: " + draw.choice(CODINGS)], chunked),
        ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: " + draw.choice(CODINGS)], chunked),
        ([b"Transfer-Encoding : chunked"], chunked),
        ([b"Transfer-Encoding:\r\n chunked"], chunked),
        ([b"Transfer-Encoding: chunked"], draw.choice(SIZES) + b"\r\n" + body + b"\r\n0\r\n\r\n"),
        ([b"Transfer-Encoding: chunked"], chunked.replace(b"\r\n", b"\n")),
        ([b"Transfer-Encoding: chunked"], chunked[: draw.randrange(len(chunked))]),
        ([b"Transfer-Encoding: chunked"], b"1\r\nx\r\n" * 5000),
        ([], body),
    ]
    return draw.choice(shapes)
