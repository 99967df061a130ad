"""Begun: where a streaming POST led to by its redirect. A client that tries again by itself begins with the POST."""

from collections.abc import Mapping

from starlette.datastructures import URL

NO_RETRY: Mapping[str, str] = {"x-should-retry": "false"}
"""What OpenAI's clients heed: else they ask 408, 409, 429 and 5xx twice more, which would begin, and pay for, as many
answers."""

_MARK = "begun=true"


def led_to(path: str, idempotency_key: str) -> str:
    """Where to read what was begun, by a path with a query; marked, unless a retry by this key would find the same."""
    return path if idempotency_key else f"{path}&{_MARK}"


def without_retry(headers: Mapping[str, str], idempotency_key: str) -> dict[str, str]:
    """The headers of an error after an answer has begun; with a key a retry would find the same one."""
    return {**headers, **({} if idempotency_key else NO_RETRY)}


def no_retry(url: URL) -> Mapping[str, str]:
    """What an error says besides, at such a place."""
    return NO_RETRY if _MARK in url.query.split("&") else {}
