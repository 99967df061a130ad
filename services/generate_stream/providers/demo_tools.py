"""What the demo makes of tools: which one a question asks for, and arguments that fit its schema. Pure."""

import json
import re

from services.generate_stream.providers import ChatRequest, Named, Tool
from services.generate_stream.providers.demo_values import value


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
    given = value(tool.parameters | {"type": "object"}, question if said is None else said)
    return json.dumps(given, ensure_ascii=False)


def _after(tool: Tool, question: str) -> str | None:
    """The words after the tool's name, whichever way it is spelt; None where it is not named."""
    spelt = r"[\s_-]?".join(re.escape(part) for part in re.split(r"[_-]+", tool.name) if part)
    found = re.search(rf"(?<![^\W_]){spelt}(?![^\W_])", question, re.IGNORECASE) if spelt else None
    return question[found.end() :] if found else None
