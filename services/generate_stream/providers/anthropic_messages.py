"""A conversation with tools, as Anthropic's Messages take it, and what it asks of the answer. Pure."""

import hashlib
import json
import re
from itertools import groupby
from typing import Any

import anthropic

from services.generate_stream.providers import ChatRequest, JsonSchema, Message, Named, Tool, ToolCall

_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Block = dict[str, Any]


def messages(request: ChatRequest) -> list[Block]:
    """All but the system's words. What tools gave back is the user's, all results of one answer in one message.

    The model's thinking is not among it: the API asks for it only where a budget was set, which is never the case
    here, and would refuse or drop that of another model.
    """
    said = [message for message in request.messages if message.role != "system"]
    told: list[Block] = []
    for role, run in groupby(said, key=lambda message: message.role):
        if role == "tool":
            told.append({"role": "user", "content": [_result(message) for message in run]})
        else:
            told += [{"role": role, "content": _content(message)} for message in run]
    return told


def tools(request: ChatRequest) -> Block:
    """What may be called, and whether it has to be. Some models refuse to be told that it has to."""
    if not request.tools:
        return {}
    told: Block = {"tools": [_tool(tool) for tool in request.tools]}
    if isinstance(request.tool_choice, Named):
        told["tool_choice"] = {"type": "tool", "name": request.tool_choice.name}
    elif request.tool_choice:
        told["tool_choice"] = {"type": _CHOICES[request.tool_choice]}
    if request.parallel_tool_calls is False and request.tool_choice != "none":
        told["tool_choice"] = told.get("tool_choice", {"type": "auto"}) | {"disable_parallel_tool_use": True}
    return told


def output(request: ChatRequest) -> Block:
    """What the answer must be. The API has no place for a schema's name, and holds to it always."""
    if not isinstance(request.format, JsonSchema):
        return {}
    described = {"description": request.format.description} if request.format.description else {}
    schema = _strict(described | request.format.schema)
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def _tool(tool: Tool) -> Block:
    described = {"description": tool.description} if tool.description else {}
    schema = {"type": "object", **tool.parameters}
    strict = {} if tool.strict is None else {"strict": tool.strict}
    return {"name": tool.name, **described, "input_schema": _strict(schema) if tool.strict else schema, **strict}


def _strict(schema: Block) -> Block:
    """A schema as this API takes it where it holds to it: what it has no means for is told in words.

    One that the SDK can't read goes as it is: to refuse it is the vendor's affair.
    """
    try:
        return anthropic.transform_schema(schema)
    except Exception:  # noqa: BLE001 - it asserts, and looks for members of whatever stands there
        return schema


def _content(message: Message) -> str | list[Block]:
    if not message.tool_calls:
        return message.content
    # A block of white space is refused, and models like to begin with one.
    words = [{"type": "text", "text": message.content}] if message.content.strip() else []
    return [*words, *map(_use, message.tool_calls)]


def _use(call: ToolCall) -> Block:
    return {"type": "tool_use", "id": _id(call.call_id), "name": call.name, "input": _input(call.arguments)}


def _result(message: Message) -> Block:
    return {"type": "tool_result", "tool_use_id": _id(message.call_id), "content": message.content}


def _id(call_id: str) -> str:
    """An id that this API takes: another vendor's may not be one."""
    return call_id if _ID.fullmatch(call_id) else f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def _input(arguments: str) -> dict[str, Any]:
    """The arguments as an object; what is none stands in one, so that the model sees what it wrote."""
    try:
        read = json.loads(arguments)
        # Python reads NaN and halves of surrogate pairs, which have no JSON.
        json.dumps(read, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        read = arguments
    return read if isinstance(read, dict) else {"arguments": arguments}
