"""A request for a response, as OpenAI's API takes it, in the words of StartBody. Pure.

Left unread: what changes no answer (store, user, truncation, service_tier, stream_options, prompt_cache_…),
and how much to think or to say (reasoning, text.verbosity), which is the model's own affair here.
"""

from dataclasses import dataclass
from typing import Any

from services.generate_stream.dialects import responses_input
from shared.dialects import response_ids
from shared.dialects.response_ids import ResponseId
from shared.dialects.response_refusals import (
    SAME_LENGTH,
    invalid,
    previous_not_found,
    refuse_unless_told,
    unsupported,
)

_REFUSED = ("conversation", "context_management", "moderation", "prompt", "top_logprobs")
"""What a caller relies on and nobody does here; null, false and 0 rely on nothing."""
_ECHOED = (
    "instructions", "parallel_tool_calls", "prompt_cache_key", "reasoning", "safety_identifier", "user",
)  # fmt: skip
_SAME = {
    "instructions": "system", "max_output_tokens": "maxTokens", "metadata": "metadata",
    "parallel_tool_calls": "parallelToolCalls", "temperature": "temperature", "top_p": "topP",
}  # fmt: skip
_THEIRS = {ours: theirs for theirs, ours in _SAME.items()} | {"toolChoice": "tool_choice", "format": "text.format"}
_THEIRS |= dict.fromkeys(("prompt", "messages", "toolResults"), "input")
_TOOL = {"description": None, "parameters": None, "strict": False}
_FORMATS = {"json_object": (), "json_schema": ("name", "description", "schema", "strict")}
"""What is read of each."""


@dataclass(frozen=True)
class Asked:
    """A request for a response."""

    start: dict[str, Any]
    """What StartBody takes of it, but for the provider."""
    model: str | None
    previous: ResponseId | None
    stream: bool
    background: bool
    echo: dict[str, Any]
    """What its own answer says again, which no log tells."""


def parse(value: Any) -> Asked:
    """Read a body. Raises ApiError with 400; what StartBody checks is left to it."""
    if not isinstance(value, dict):
        raise invalid("body", "it must be a JSON object")
    _refuse(value)
    model = value.get("model")
    if model is not None and not isinstance(model, str):
        raise invalid("model", "text is needed")
    previous = _previous(value)
    if value.get("input") is None:
        raise invalid("input", "it is missing")
    start = responses_input.asked(value["input"], goes_on=previous is not None)
    start |= {ours: value[theirs] for theirs, ours in _SAME.items() if value.get(theirs) is not None}
    echo = {name: value[name] for name in _ECHOED if value.get(name) is not None}
    background, stream = _flag(value, "background"), _flag(value, "stream")
    if tools := value.get("tools"):
        start |= {"tools": _tools(tools)}
        echo |= {"tools": [_TOOL | tool for tool in tools]}
        if (choice := value.get("tool_choice")) is not None:
            start |= {"toolChoice": _choice(choice)}
            echo |= {"tool_choice": choice}
    if form := _format(value.get("text")):
        start |= {"format": form}
        unsaid = {"description": None, "strict": False} if form["type"] == "json_schema" else {}
        echo |= {"text": {"format": unsaid | form}}
    if previous:
        start |= {"sessionId": previous.session, "after": previous.generation}
    return Asked(start, model, previous, stream, background, echo)


def theirs(message: str) -> tuple[str, str | None]:
    """A refusal of StartBody in this API's words, and the field that it is about."""
    ours, colon, why = message.partition(": ")
    field, dot, rest = ours.partition(".")
    name = _THEIRS.get(field, field)
    return (f"{name}{dot}{rest}: {why}", name) if colon else (message, None)


def _refuse(value: dict[str, Any]) -> None:
    for name in _REFUSED:
        if value.get(name):
            raise unsupported(name, "this server has nothing of that kind")
    options = value.get("stream_options")
    if isinstance(options, dict) and options.get("include_obfuscation"):
        raise unsupported("stream_options.include_obfuscation", SAME_LENGTH)
    include = value.get("include") or []
    if not isinstance(include, list):
        raise invalid("include", "a list is needed")
    refuse_unless_told(include)


def _previous(value: dict[str, Any]) -> ResponseId | None:
    said = value.get("previous_response_id")
    if said is None:
        return None
    previous = response_ids.parse(said) if isinstance(said, str) else None
    if previous is None:
        raise previous_not_found(str(said))
    return previous


def _tools(tools: Any) -> list[dict[str, Any]]:
    if not isinstance(tools, list):
        raise invalid("tools", "a list is needed")
    read = []
    for at, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise unsupported(f"tools[{at}]", "tools are functions of the caller's own")
        fields = {name: tool.get(name) for name in ("name", "description", "parameters", "strict")}
        read.append({name: field for name, field in fields.items() if field is not None})
    return read


def _format(of_text: Any) -> dict[str, Any] | None:
    form = of_text.get("format") if isinstance(of_text, dict) else of_text
    if form is None:
        return None
    if not isinstance(form, dict):
        raise invalid("text" if form is of_text else "text.format", "an object is needed")
    kind = form.get("type")
    if kind == "text":
        return None
    if not isinstance(kind, str) or kind not in _FORMATS:
        raise unsupported("text.format", f"it takes text, {', '.join(_FORMATS)}")
    return {"type": kind} | {name: form[name] for name in _FORMATS[kind] if form.get(name) is not None}


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return choice
    if not isinstance(choice, dict) or choice.get("type") != "function":
        raise unsupported("tool_choice", "it takes auto, none, required, or one function")
    return {"name": choice.get("name")}


def _flag(value: dict[str, Any], name: str) -> bool:
    flag = value.get(name)
    if not (flag is None or isinstance(flag, bool)):
        raise invalid(name, "it takes true or false")
    return bool(flag)
