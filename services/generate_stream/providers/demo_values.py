"""Values of a JSON schema, out of a question's words: enough for the demo, and no validator. Pure."""

import math
import re
from typing import Any

_DEEP = 4
"""From here on there is no more than there must be: a schema may hold itself."""
_DEPTH_MAX = 32
_MEMBERS_MAX = 32
_STEPS_MAX = 8
_VALUES_MAX = 256
_TEXT_MAX = 200
_REFERENCE = re.compile(r"#/(?:\$defs|definitions)/([^/]+)")
_BY_OTHERS = ("$ref", "anyOf", "oneOf", "allOf")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_SMALL_WORDS = re.compile(r"(?:\W|(?:in|of|for|at|on|to|with|the|a|an)\b)*", re.IGNORECASE)


def value(schema: dict[str, Any], words: str) -> Any:
    """A value by the schema: what it requires, else all that it knows. A pattern, a format or a length is not met."""
    return _Values(schema, words).of(schema, 0)


class _Values:
    """The values of one schema, whose parts may refer to each other."""

    def __init__(self, schema: dict[str, Any], words: str) -> None:
        self._defined = {**_object(schema.get("definitions")), **_object(schema.get("$defs"))}
        self._words = words
        self._left = _VALUES_MAX

    def of(self, given: Any, depth: int) -> Any:
        self._left -= 1
        schema = self._plain(given, depth)
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            words = self._words.casefold()
            told = [each for each in schema["enum"] if isinstance(each, str) and each.casefold() in words]
            return [*told, *schema["enum"]][0]
        for known in ("const", "default"):
            if known in schema:
                return schema[known]
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
        simple: dict[Any, Any] = {"boolean": True, "null": None}
        match kind:
            case "object":
                return self._members(schema, depth)
            case "number" | "integer":
                return self._number(schema, whole=kind == "integer")
            case "array":
                return [self.of(schema.get("items"), depth + 1)] if self._has_room(depth) else []
            case str() if kind in simple:
                return simple[kind]
        return _SMALL_WORDS.sub("", " ".join(self._words.split()), count=1).rstrip("?!. ")[:_TEXT_MAX]

    def _plain(self, given: Any, depth: int) -> dict[str, Any]:
        """A schema that is no reference and no choice: of several the first, or deep down the last, mostly null."""
        schema = _object(given)
        for _ in range(_STEPS_MAX):
            by = next((name for name in _BY_OTHERS if schema.get(name)), None)
            if by is None:
                break
            beside = {name: each for name, each in schema.items() if name != by}
            schema = beside | _object(self._meant(schema[by], depth))
        return schema

    def _meant(self, by: Any, depth: int) -> Any:
        if isinstance(by, list):
            return by[0 if self._has_room(depth) else -1]
        found = _REFERENCE.fullmatch(by) if isinstance(by, str) else None
        return self._defined.get(found[1]) if found else None

    def _members(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        if depth == _DEPTH_MAX or self._left <= 0:
            return {}
        known, said = _object(schema.get("properties")), schema.get("required")
        required = {name for name in said if isinstance(name, str)} if isinstance(said, list) else set()
        needed = [name for name in known if name in required]
        if not needed and self._has_room(depth):
            needed = list(known)[:_MEMBERS_MAX]
        return {name: self.of(known[name], depth + 1) for name in needed}

    def _has_room(self, depth: int) -> bool:
        return depth < _DEEP and self._left > 0

    def _number(self, schema: dict[str, Any], *, whole: bool) -> int | float:
        found = _NUMBER.search(self._words)
        number = float(found[0]) if found else 1
        for bound, nearer in (("minimum", max), ("maximum", min)):
            if isinstance(limit := schema.get(bound), int | float) and -math.inf < limit < math.inf:
                number = nearer(number, limit)
        return int(number) if whole or number == int(number) else number


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
