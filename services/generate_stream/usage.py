"""Usage: what a provider's bill says in tokens, whoever wrote it. Pure."""

from collections.abc import Sequence
from typing import Any

_MOST = 10**9
"""What says more of one answer is no count of tokens."""

_INPUT = (("prompt_tokens",), ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
"""OpenAI's count has what came from its cache in it; Anthropic tells it apart."""

_OUTPUT = (("completion_tokens",), ("output_tokens",))


def tokens(usage: Any) -> dict[str, int]:
    """Tokens by direction, `input` and `output`; nothing for a bill that is missing, estimated, or in other words."""
    if not isinstance(usage, dict) or "estimated" in usage:
        return {}
    found = {"input": _count(usage, _INPUT), "output": _count(usage, _OUTPUT)}
    return {direction: number for direction, number in found.items() if number is not None}


def spent(usage: Any, asked_bytes: int, written_bytes: int) -> int:
    """Tokens that an answer took: by the provider's bill, else (stopped, failed) one for each four bytes."""
    told = tokens(usage)
    return told.get("input", -(-asked_bytes // 4)) + told.get("output", -(-written_bytes // 4))


def _count(usage: dict[str, Any], vendors: Sequence[Sequence[str]]) -> int | None:
    """By the first vendor's names that are there: some compatible servers tell the same by both."""
    for first, *more in vendors:
        if _is_count(usage.get(first)):
            told: list[int] = [usage[name] for name in (first, *more) if _is_count(usage.get(name))]
            return sum(told)
    return None


def _is_count(value: object) -> bool:
    # The SDKs let through whatever a compatible server sends.
    return type(value) is int and 0 <= value <= _MOST
