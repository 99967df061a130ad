"""The form of a request of OpenAI's Chat Completions: what is read of it, and what it may hold."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.generate_stream.bodies import TOOLS_MAX, Metadata, Short, ToolName


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
    content: list[Text] | str


class Question(_Part):
    """What a user says."""

    role: Literal["user"]
    content: list[Text] | str


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
    content: list[Text | Refusal] | str | None = None
    tool_calls: list[ToolCall] | None = Field(default=None, max_length=TOOLS_MAX)


class ToolReply(_Part):
    """What a tool gave back."""

    role: Literal["tool"]
    content: list[Text] | str
    tool_call_id: Short


Message = Annotated[Instruction | Question | Reply | ToolReply, Field(discriminator="role")]


class Function(_Part):
    """A function that may be called."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


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


class PlainFormat(_Part):
    """An answer that is text, or a JSON object of any kind."""

    type: Literal["text", "json_object"]


class JsonSchema(_Part):
    """A schema by its name."""

    name: ToolName
    description: str | None = None
    json_schema: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class SchemaFormat(_Part):
    """An answer that is JSON by a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(_Part):
    """What a stream tells besides the answer."""

    include_usage: bool | None = None


_Format = Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")]
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
    stop: _Stop | str | None = None
    tools: list[FunctionTool] | None = Field(default=None, max_length=TOOLS_MAX)
    tool_choice: Literal["auto", "none", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Format | None = None
    metadata: Metadata | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with its counts."""
        return bool(self.stream_options and self.stream_options.include_usage)
