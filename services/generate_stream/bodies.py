"""Request bodies: what may be sent, and in what form."""

import hashlib
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

TOOLS_MAX = 128
"""Tools of a request, and results given back at once."""

_NAME, _LINE, _WORDS = r"^[A-Za-z0-9_-]{1,64}$", r"^[^\x00-\x1f\x7f]*$", r"\S"
PATTERNS = {
    _NAME: "It takes 1 to 64 letters, digits, _ and -",
    _LINE: "It must hold no control characters",
    _WORDS: "It must hold more than white space",
}
"""What a text must be, in words."""

ToolName = Annotated[str, StringConstraints(pattern=_NAME)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]


def _unquoted(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    # A key is a client's own word, as its value is: a refusal that named it would repeat it.
    try:
        return read(value)
    except ValidationError:
        raise ValueError("it takes 16 pairs at most: texts of up to 512 characters by names of up to 64") from None


Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=512)]],
    Field(max_length=16),
    WrapValidator(_unquoted),
]
"""What a client attaches to an answer, to have it told again: within the bounds that OpenAI's API sets."""


class _Body(BaseModel):
    # An error's text may end in a log: what was said stays out of it.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Call(_Body):
    """A tool that the model called, in a conversation that a client brings along."""

    callId: Short  # noqa: N815 - the contract's own spelling, as are those below
    name: ToolName
    arguments: str


class ToolResult(_Body):
    """What a tool gave back to one call."""

    callId: Short  # noqa: N815
    content: str


class TurnMessage(_Body):
    """One message that a client brings along: words, the calls of an assistant, or what a tool gave back to one."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    toolCalls: list[Call] | None = Field(default=None, min_length=1, max_length=TOOLS_MAX)  # noqa: N815
    callId: Short | None = None  # noqa: N815

    @model_validator(mode="after")
    def _of_its_role(self) -> Self:
        if self.toolCalls is not None and self.role != "assistant":
            raise ValueError("only an assistant's message has toolCalls")
        if (self.callId is not None) != (self.role == "tool"):
            raise ValueError("callId belongs to a tool's message, and each of them has one")
        if self.role != "tool" and self.toolCalls is None and not self.content.strip():
            raise ValueError("content must hold words")
        return self


class Tool(_Body):
    """A tool that the model may call. `parameters` is a JSON schema, handed on as it is."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool | None = None
    """Whether the vendor is to see to it that arguments fit; None is its own default."""


class NamedTool(_Body):
    """The one tool that must be called."""

    name: ToolName


class JsonObject(_Body):
    """An answer that is a JSON object, whatever it holds."""

    type: Literal["json_object"]


class JsonSchema(_Body):
    """An answer that is JSON by a schema."""

    type: Literal["json_schema"]
    name: ToolName
    description: str | None = None
    json_schema: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    """Whether the vendor is to see to it that the answer fits; None is its own default."""


class StartBody(_Body):
    """`POST /api/generate-stream`: a question, a whole conversation that ends in one, or what tools gave back."""

    sessionId: str | None = None  # noqa: N815
    prompt: str | None = Field(default=None, pattern=_WORDS)
    messages: list[TurnMessage] | None = Field(default=None, min_length=1, max_length=10_000)
    toolResults: list[ToolResult] | None = Field(default=None, min_length=1, max_length=TOOLS_MAX)  # noqa: N815
    after: int | None = Field(default=None, ge=0, le=2**31)
    """The generation that this one goes on from, where it is not the newest; 0 for the beginning."""
    provider: Short | None = None
    model: Short | None = None
    system: str | None = None
    maxTokens: int | None = Field(default=None, ge=1, le=1_000_000)  # noqa: N815
    temperature: float | None = Field(default=None, ge=0, le=2)
    topP: float | None = Field(default=None, ge=0, le=1)  # noqa: N815
    stop: list[str] | None = Field(default=None, min_length=1, max_length=4)
    tools: list[Tool] | None = Field(default=None, min_length=1, max_length=TOOLS_MAX)
    toolChoice: Literal["auto", "none", "required"] | NamedTool | None = None  # noqa: N815
    parallelToolCalls: bool | None = None  # noqa: N815
    """Whether the model may call several tools at once; None is the vendor's own default."""
    format: Annotated[JsonObject | JsonSchema, Field(discriminator="type")] | None = None
    """What the answer must be; text of any kind without it."""
    replaces: int | None = Field(default=None, ge=1, le=2**31)
    metadata: Metadata | None = None
    stream: bool = True

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum(given is not None for given in (self.prompt, self.messages, self.toolResults)) != 1:
            raise ValueError("give either prompt or messages, or toolResults")
        if self.messages is not None and self.after is not None:
            raise ValueError("messages bring the whole conversation: there is nothing for them to be after")
        if self.messages is not None and all(message.role != "user" for message in self.messages):
            raise ValueError("messages must hold a user's message")
        return self

    @property
    def question(self) -> str:
        """The prompt, or the last user message; what tools gave back is none."""
        if self.messages is None:
            return self.prompt or ""
        return next(message.content for message in reversed(self.messages) if message.role == "user")

    @property
    def size(self) -> int:
        """Bytes of UTF-8 that the model is asked with."""
        said = [self.prompt or "", self.system or "", *(result.content for result in self.toolResults or [])]
        for message in self.messages or []:
            said += [message.content, *(call.arguments for call in message.toolCalls or [])]
        said += [tool.model_dump_json() for tool in self.tools or []]
        said += [self.format.model_dump_json()] if isinstance(self.format, JsonSchema) else []
        return sum(len(text.encode()) for text in said)

    def request(self) -> str:
        """What to run, as JSON: all but where it goes and how it is waited for."""
        return self.model_dump_json(exclude={"sessionId", "stream"}, exclude_none=True, by_alias=True)

    def digest(self) -> str:
        """Tells one request from another."""
        return hashlib.sha256(self.request().encode()).hexdigest()


class StopBody(_Body):
    """`POST /api/stop-stream`."""

    sessionId: str  # noqa: N815
    generation: int | None = Field(default=None, ge=1, le=2**31)


class DeleteBody(_Body):
    """`POST /api/delete-stream`."""

    sessionId: str  # noqa: N815


class ShareBody(_Body):
    """`POST /api/share-stream`."""

    sessionId: str  # noqa: N815
    generation: int | None = Field(default=None, ge=1, le=2**31)
    expiresInS: int = Field(default=7 * 86_400, ge=60, le=30 * 86_400)  # noqa: N815


class UnshareBody(_Body):
    """`POST /api/unshare-stream`: one share, or all."""

    sessionId: str  # noqa: N815
    shareId: Short | None = None  # noqa: N815
