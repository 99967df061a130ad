"""What hostile clients put where text is expected: bytes, percent-encodings, numbers, JSON that parsers dispute."""

from random import Random

SESSIONS = [f"fuzzed-session-{number}" for number in range(6)]
"""Real ones, so that much of what is drawn gets past the door and meets a log."""

NASTY_BYTES = [
    b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\t", b"\x0b", b"\x7f", b"\x80", b"\xff\xfe", b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xc2\x85", b"\xc3", "é🌊".encode(), b"' OR 1=1--",
    b"${7*7}",
    b"{llm:running}", b"llm:stream:*", b"*", b"?", b"[a-z]", b"../../etc/passwd", b"<script>", b"%s%n", b"\x1b[2J",
    b"",
]  # fmt: skip
NASTY_ENCODED = [
    b"%00", b"%0d%0a", b"%0a", b"%ff%fe", b"%c0%af", b"%ed%a0%80", b"%", b"%%", b"%2", b"%zz", b"%u0041", b"%2500",
    b"%2f", b"%2e%2e%2f", b"+", b"&", b"=", b";", b"#", b"%26%3d", b"%e2%80%a8", b"%F0%9F%8C%8A", b"%7bllm%7d",
]  # fmt: skip
NUMBERS = [
    b"0", b"-0", b"-1", b"+1", b"1e3", b"1.0", b"0x10", b"00", b"007", b"1_000", b" 1", b"1 ", b"NaN", b"Infinity",
    b"2147483648", b"9223372036854775808", b"18446744073709551615", b"18446744073709551616", b"9" * 400, b"9" * 5000,
    "١٢".encode(), "²".encode(), "１".encode(),
]  # fmt: skip
POINTS = [
    b"0", b"0-0", b"1-1", b"1-", b"-1", b"1--1", b"1-1-1", b"18446744073709551615-18446744073709551615", b"$", b">",
    b"-",
    b"18446744073709551616-0", b"9" * 30 + b"-0", b"0-" + b"9" * 30, b"1-1\0", "١-١".encode(), b"(1-1", b"*", b"1-*",
]  # fmt: skip

_JSON_LEAVES = [
    "null", "true", "false", "0", "-0", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "0x10", "01",
    "1.",
    "9" * 400, "9" * 5000, "1E+2", '""', '"x"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"',
    '"\\x"',
    '"\\u00"', '"\0"', '"\n"', '"\u2028"', '"unended', "'x'", "[]", "{}", "[,]", "{,}", '{"a"}', "undefined", "/*x*/1",
    "[" * 200 + "]" * 200, "[" * 100_000, '{"a":' * 3000 + "1" + "}" * 3000, "[" * 30_000 + "]" * 30_000, "",
]  # fmt: skip
_FIELDS = {
    "sessionId": [*(f'"{session}"' for session in SESSIONS), '"short"', '"x' + "x" * 70 + '"', '"a\\u0000bcdefgh"'],
    "prompt": ['"Hello?"', '"' + "x" * 300 + '"', '"\\u2028\\n\\ndata: x"', '" "', '"' + "y" * 200_000 + '"'],
    "messages": ['[{"role":"user","content":"Hello?"}]', "[]", '[{"role":"user"}]',
    "[" + '{"role":"system"},' * 9 + "{}]"],
    "provider": ['"demo"', '"openai"', '"__class__"'],
    "model": ['"demo"', '"a\\nb"', '"' + "m" * 201 + '"'],
    "system": ['"Be brief."'],
    "maxTokens": ["1", "1000000", "1000001"],
    "temperature": ["0", "2", "1.5"],
    "replaces": ["1", "2147483648", "2147483649"],
    "generation": ["1", "99", "2147483648"],
    "stream": ["true", "false"],
    "expiresInS": ["60", "59"],
    "shareId": ['"a-share"'],
}  # fmt: skip


def json_body(draw: Random) -> bytes:
    """A body that may be JSON, and may be of the shape that a route wants."""
    if draw.random() < 0.1:
        return draw.choice(_JSON_LEAVES).encode()
    if draw.random() < 0.05:
        return draw.choice(NASTY_BYTES) * draw.choice([1, 3, 1000])
    names = ["sessionId"] if draw.random() < 0.9 else []
    names += ["prompt"] if draw.random() < 0.6 else []
    names += draw.choices(list(_FIELDS), k=draw.choice([0, 0, 1, 1, 2, 5]))
    members = [f'"{_name(draw, name)}":{_value(draw, name)}' for name in names]
    draw.shuffle(members)
    text = "{" + draw.choice([",", ",", ",", ", \n\t"]).join(members) + "}"
    codec = draw.choice(["utf-8"] * 12 + ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
    return bent(draw, text.encode(codec, "replace"), 0.15)


def bent(draw: Random, raw: bytes, chance: float) -> bytes:
    """The same, or with a byte lost, doubled, flipped or put between."""
    while raw and draw.random() < chance:
        at = draw.randrange(len(raw))
        put = draw.choice([b"", raw[at : at + 1] * 2, bytes([draw.randrange(256)]), draw.choice(NASTY_BYTES)])
        raw = raw[:at] + put + raw[at + 1 :]
    return raw


def _name(draw: Random, name: str) -> str:
    return (
        name if draw.random() < 0.97 else draw.choice(["__proto__", "", name.upper(), name + "\\u0000", "\\ud800", "é"])
    )


def _value(draw: Random, name: str) -> str:
    usual = _FIELDS[name]
    return draw.choice(_JSON_LEAVES) if draw.random() < 0.08 else draw.choice(usual[:1] * 6 + usual)
