"""A request of OpenAI's Chat Completions as what it means here: the native body that it becomes."""

from typing import Any, NamedTuple

from services.generate_stream import reading
from services.generate_stream.bodies import StartBody
from services.generate_stream.dialects.completions_form import (
    CompletionBody,
    Function,
    Instruction,
    NamedTool,
    Question,
    Refusal,
    Reply,
    SchemaFormat,
    Text,
    ToolReply,
)
from services.generate_stream.dialects.completions_refusals import refuse_what_is_not_offered
from shared.http import ApiError


class Parsed(NamedTuple):
    """A request as it came, and what it asks for in our words, less who is asked."""

    body: CompletionBody
    start: dict[str, Any]


def parse(document: Any) -> Parsed:
    """Read a request. Raises ApiError with 400 or 422."""
    refuse_what_is_not_offered(document)
    body = reading.of_its_form(document, CompletionBody)
    messages = [_message(message) for message in body.messages]
    _check_conversation(messages)
    start: dict[str, Any] = {
        "messages": [message for message in messages if _says_something(message)],
        "maxTokens": body.max_completion_tokens or body.max_tokens,
        "temperature": body.temperature,
        "topP": body.top_p,
        "stop": [body.stop] if isinstance(body.stop, str) else body.stop or None,
        "tools": [_tool(tool.function) for tool in body.tools] if body.tools else None,
        "format": _format(body),
        "metadata": body.metadata or None,
        "stream": bool(body.stream),
    }
    if body.tools:
        choice = body.tool_choice
        start["toolChoice"] = {"name": choice.function.name} if isinstance(choice, NamedTool) else choice
        start["parallelToolCalls"] = body.parallel_tool_calls
    return Parsed(body, {name: value for name, value in start.items() if value is not None})


def start_body(parsed: Parsed, provider: str, model: str, text_max_bytes: int) -> StartBody:
    """The native body. Raises ApiError with 413, or 400 or 422."""
    return reading.validate({**parsed.start, "provider": provider, "model": model}, StartBody, text_max_bytes)


def _message(message: Instruction | Question | Reply | ToolReply) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": _words(message.content)}
    if isinstance(message, Instruction):
        told["role"] = "system"
    elif isinstance(message, ToolReply):
        told["callId"] = message.tool_call_id
    elif isinstance(message, Reply) and message.tool_calls:
        calls = [(call.id, call.function) for call in message.tool_calls]
        told["toolCalls"] = [{"callId": each, "name": of.name, "arguments": of.arguments} for each, of in calls]
    return told


def _words(content: str | list[Text] | list[Text | Refusal] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text if isinstance(part, Text) else part.refusal for part in content)
    return content or ""


def _says_something(message: dict[str, Any]) -> bool:
    # Clients keep the message of an answer that was stopped before its first word.
    return bool(message["content"].strip()) or "toolCalls" in message or "callId" in message


def _tool(function: Function) -> dict[str, Any]:
    return {name: value for name, value in function if value is not None}


def _format(body: CompletionBody) -> dict[str, Any] | None:
    asked = body.response_format
    if isinstance(asked, SchemaFormat):
        return {"type": asked.type} | asked.json_schema.model_dump(by_alias=True, exclude_none=True)
    return {"type": asked.type} if asked and asked.type != "text" else None


def _check_conversation(messages: list[dict[str, Any]]) -> None:
    if messages[-1]["role"] not in ("user", "tool"):
        why = "messages: the last one must be the user's, or a tool's."
        raise ApiError(400, "invalid_conversation", why, param="messages")
    questions = [message for message in messages if message["role"] == "user"]
    if not questions or not all(question["content"].strip() for question in questions):
        why = "messages: there must be a user's, and words in each of them."
        raise ApiError(400, "invalid_conversation", why, param="messages")
