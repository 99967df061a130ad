"""Nesting: how deep a JSON value may be, so that whoever writes it again finds room on the stack. Pure."""

from typing import Any

DEEPEST = 100


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects stand in one another more than `DEEPEST` levels deep."""
    level = [value]
    for _ in range(DEEPEST):
        level = [member for each in level if isinstance(each, (dict, list)) for member in _members(each)]
        if not level:
            return False
    return any(isinstance(each, (dict, list)) for each in level)


def _members(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
