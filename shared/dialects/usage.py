"""Usage: what a vendor's bill says in tokens, in words that every dialect can make its own of. Pure."""

from typing import Any, NamedTuple

_MOST = 10**9
"""What says more of one answer is no count of tokens."""


class Usage(NamedTuple):
    """Tokens of one answer."""

    input: int
    """All that were read, those from a cache too."""
    output: int
    """All that were written, thoughts too."""
    cached: int
    """Of `input`, those from a cache."""
    reasoning: int
    """Of `output`, thoughts."""


def usage_of(said: Any) -> Usage | None:
    """A bill in any vendor's words; None where it tells no two counts."""
    if not isinstance(said, dict):
        return None
    cached = _count(said.get("cache_read_input_tokens"))
    asked = _count(said.get("prompt_tokens"))
    if asked is None and (asked := _count(said.get("input_tokens"))) is not None:
        # Anthropic tells apart what OpenAI's count has in it.
        asked += (cached or 0) + (_count(said.get("cache_creation_input_tokens")) or 0)
    written = next((count for name in _OUTPUT if (count := _count(said.get(name))) is not None), None)
    if asked is None or written is None:
        return None
    if cached is None:
        cached = _detail(said, ("prompt_tokens_details", "input_tokens_details"), ("cached_tokens",))
    thoughts = _detail(said, ("completion_tokens_details", "output_tokens_details"), _THOUGHTS)
    return Usage(asked, written, min(cached, asked), min(thoughts, written))


_OUTPUT = ("completion_tokens", "output_tokens")
_THOUGHTS = ("reasoning_tokens", "thinking_tokens")


def _detail(said: dict[str, Any], places: tuple[str, ...], names: tuple[str, ...]) -> int:
    details = [inner for place in places if isinstance(inner := said.get(place), dict)]
    return next((count for inner in details for name in names if (count := _count(inner.get(name))) is not None), 0)


def _count(value: object) -> int | None:
    # A compatible server may send anything.
    return value if type(value) is int and 0 <= value <= _MOST else None
