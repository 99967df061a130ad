"""What the demo makes of tools: which one a question asks for, and arguments that fit its schema. Pure."""

import json
import re
from typing import Any

from services.generate_stream.providers import ChatRequest, Named, Tool

_DEPTH_MAX = 4
_MEMBERS_MAX = 32
_TEXT_MAX = 200
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_SMALL_WORDS = re.compile(r"(?:\W|(?:in|of|for|at|on|to|with|the|a|an)\b)*", re.IGNORECASE)


def chosen(request: ChatRequest) -> Tool | None:
    """The tool to call: the one that must be, or that the question names; none when tools have just answered."""
    choice = request.tool_choice
    if choice == "none" or not request.messages or request.messages[-1].role != "user":
        return None
    if isinstance(choice, Named):
        return next((tool for tool in request.tools if tool.name == choice.name), None)
    named = [tool for tool in request.tools if _after(tool, request.messages[-1].content) is not None]
    if named:
        # Of `get` and `get_weather` the longer one is meant.
        return max(named, key=lambda tool: len(tool.name))
    return request.tools[0] if request.tools and choice == "required" else None


def arguments(tool: Tool, question: str) -> str:
    """Arguments for a call, as JSON: what its schema requires, else all that it knows, out of the question's words."""
    said = _after(tool, question)
    value = _value(tool.parameters | {"type": "object"}, question if said is None else said, 0)
    return json.dumps(value, ensure_ascii=False)


def _after(tool: Tool, question: str) -> str | None:
    """The words after the tool's name, whichever way it is spelt; None where it is not named."""
    spelt = r"[\s_-]?".join(re.escape(part) for part in re.split(r"[_-]+", tool.name) if part)
    found = re.search(rf"(?<![^\W_]){spelt}(?![^\W_])", question, re.IGNORECASE) if spelt else None
    return question[found.end() :] if found else None


def _value(schema: Any, words: str, depth: int) -> Any:
    schema = schema if isinstance(schema, dict) else {}
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        told = [each for each in schema["enum"] if isinstance(each, str) and each.casefold() in words.casefold()]
        return [*told, *schema["enum"]][0]
    for known in ("const", "default"):
        if known in schema:
            return schema[known]
    kinds = schema.get("type", "string")
    kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
    if kind == "object":
        return _members(schema, words, depth)
    if kind in ("number", "integer"):
        found = _NUMBER.search(words)
        number = float(found[0]) if found else 1
        return int(number) if kind == "integer" or number == int(number) else number
    simple: dict[Any, Any] = {"boolean": True, "null": None}
    if kind == "array":
        return [_value(schema.get("items"), words, depth + 1)] if depth < _DEPTH_MAX else []
    text = _SMALL_WORDS.sub("", " ".join(words.split()), count=1).rstrip("?!. ")[:_TEXT_MAX]
    return simple[kind] if isinstance(kind, str) and kind in simple else text


def _members(schema: dict[str, Any], words: str, depth: int) -> dict[str, Any]:
    known = schema.get("properties")
    if not isinstance(known, dict) or depth == _DEPTH_MAX:
        return {}
    required = schema.get("required")
    needed = [name for name in known if name in required] if isinstance(required, list) else []
    return {name: _value(known[name], words, depth + 1) for name in (needed or list(known))[:_MEMBERS_MAX]}
