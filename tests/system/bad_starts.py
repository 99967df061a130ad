"""Questions that generate-stream does not take."""

from collections.abc import Iterator
from typing import Any

from tests.system.bad_request import (
    GOOD,
    INVALID_FIELD,
    INVALID_REQUEST,
    PROMPT_TOO_LARGE,
    START,
    UNKNOWN_FIELD,
    Bad,
    post,
)


def starts() -> Iterator[Bad]:
    """What generate-stream does not begin."""
    ask = {"sessionId": GOOD, "prompt": "Hello?"}
    said = [{"role": "user", "content": "Hello?"}]
    for body in ({}, {"sessionId": GOOD}, {"prompt": None}, ask | {"messages": said}, {"stream": False}):
        yield post(START, body, INVALID_REQUEST)
    yield post(START, {"messages": [{"role": "system", "content": "Be brief."}]}, INVALID_REQUEST)
    for prompt in ("", 1, ["Hello?"], {"text": "Hello?"}, True):
        yield post(START, {"prompt": prompt}, INVALID_FIELD)
    no_messages: list[Any] = [[], {}, "Hello?", [1], ["Hello?"], [[]], said * 10_001]
    for messages in no_messages:
        yield post(START, {"messages": messages}, INVALID_FIELD)
    for message in ({}, {"content": "Hello?"}):
        yield post(START, {"messages": [message]}, INVALID_REQUEST)
    yield post(START, {"messages": [{"role": "user"}]}, INVALID_FIELD)
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
