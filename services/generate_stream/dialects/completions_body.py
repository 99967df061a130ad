"""A request of OpenAI's Chat Completions, and what it means here: its form, and the native body that it becomes."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.generate_stream import reading
from services.generate_stream.bodies import TOOLS_MAX, Short, StartBody, ToolName
from services.generate_stream.dialects.completions_refusals import refuse_what_is_not_offered
from shared.http import ApiError


class _Part(BaseModel):
    # What is not named here does not change the answer: a user's name, a seed, a tier. What does is refused by name.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)


class Text(_Part):
    """A part of a message that is words."""

    type: Literal["text"]
    text: str


class Refusal(_Part):
    """Words by which an assistant refused."""

    type: Literal["refusal"]
    refusal: str


class Instruction(_Part):
    """What the model is told before, or in between."""

    role: Literal["system", "developer"]
    content: str | list[Text]


class Question(_Part):
    """What a user says."""

    role: Literal["user"]
    content: str | list[Text]


class Called(_Part):
    """A function by its name, with its arguments as JSON text."""

    name: ToolName
    arguments: str


class ToolCall(_Part):
    """A call that an assistant made."""

    id: Short
    type: Literal["function"] = "function"
    function: Called


class Reply(_Part):
    """What an assistant said, or called."""

    role: Literal["assistant"]
    content: str | list[Text | Refusal] | None = None
    tool_calls: list[ToolCall] | None = Field(default=None, max_length=TOOLS_MAX)


class ToolReply(_Part):
    """What a tool gave back."""

    role: Literal["tool"]
    content: str | list[Text]
    tool_call_id: Short


Message = Annotated[Instruction | Question | Reply | ToolReply, Field(discriminator="role")]


class Function(_Part):
    """A function that may be called."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None


class FunctionTool(_Part):
    """A tool: a function, for no other kind is offered."""

    type: Literal["function"]
    function: Function


class Named(_Part):
    """A function by its name."""

    name: ToolName


class NamedTool(_Part):
    """The one function that must be called."""

    type: Literal["function"]
    function: Named


class StreamOptions(_Part):
    """What a stream tells besides the answer."""

    include_usage: bool | None = None


_Stop = Annotated[list[str], Field(max_length=4)]
_Model = Annotated[Short, StringConstraints(min_length=1)]


class CompletionBody(_Part):
    """`POST /v1/chat/completions`."""

    model: _Model | None = None
    messages: list[Message] = Field(min_length=1, max_length=10_000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    stop: str | _Stop | None = None
    tools: list[FunctionTool] | None = Field(default=None, max_length=TOOLS_MAX)
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with its counts."""
        return bool(self.stream_options and self.stream_options.include_usage)


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
        "stream": bool(body.stream),
    }
    if body.tools:
        choice = body.tool_choice
        start["toolChoice"] = {"name": choice.function.name} if isinstance(choice, NamedTool) else choice
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
    told = {"name": function.name, "description": function.description, "parameters": function.parameters}
    return {name: value for name, value in told.items() if value is not None}


def _check_conversation(messages: list[dict[str, Any]]) -> None:
    if messages[-1]["role"] not in ("user", "tool"):
        raise ApiError(400, "invalid_conversation", "messages: the last one must be the user's, or a tool's.")
    questions = [message for message in messages if message["role"] == "user"]
    if not questions or not all(question["content"].strip() for question in questions):
        raise ApiError(400, "invalid_conversation", "messages: there must be a user's, and words in each of them.")
