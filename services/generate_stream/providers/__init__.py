"""What a provider is: one request in, a stream of deltas out, one Done or one ProviderError at its end."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol


class ToolCall(NamedTuple):
    """A tool that the model calls, whole. `arguments` should be JSON, but is what the model wrote."""

    call_id: str
    name: str
    arguments: str

    @property
    def size(self) -> int:
        """Bytes of what the model wrote, and of what names it."""
        return sum(len(text.encode()) for text in self)


class Message(NamedTuple):
    """One message of the conversation, as the vendors' APIs name it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """An assistant's. Each is answered by one of the tool's messages that follow."""
    call_id: str = ""
    """A tool's: the call that it answers."""

    @property
    def size(self) -> int:
        """Bytes of all that is said."""
        return len(self.content.encode()) + sum(call.size for call in self.tool_calls)


class Tool(NamedTuple):
    """A tool that the model may call. `parameters` is a JSON schema."""

    name: str
    description: str | None
    parameters: dict[str, Any]
    strict: bool | None = None
    """Whether the vendor sees to it that arguments fit; None is its default."""

    @property
    def size(self) -> int:
        """Bytes of what the model is told of it."""
        return len(json.dumps(self).encode())


class Named(NamedTuple):
    """The one tool that must be called."""

    name: str


class JsonSchema(NamedTuple):
    """What the answer must be: JSON by a schema."""

    name: str
    description: str | None
    schema: dict[str, Any]
    strict: bool | None = None
    """Whether the vendor sees to it that the answer fits; None is its default."""


@dataclass(frozen=True)
class ChatRequest:
    """What the model is asked: the whole conversation, the question or what tools gave back last."""

    model: str
    messages: list[Message] = field(repr=False)
    system: str | None = field(default=None, repr=False)
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] | None = field(default=None, repr=False)
    tools: list[Tool] = field(default_factory=list, repr=False)
    tool_choice: Literal["auto", "none", "required"] | Named | None = None
    parallel_tool_calls: bool | None = None
    """Whether several tools may be called at once; None is the vendor's default."""
    format: Literal["json_object"] | JsonSchema | None = field(default=None, repr=False)
    """What the answer must be; text of any kind where it is None."""

    @property
    def size(self) -> int:
        """Bytes of all that is said."""
        system = len((self.system or "").encode())
        form = len(json.dumps(self.format).encode()) if self.format else 0
        said = sum(message.size for message in self.messages) + sum(tool.size for tool in self.tools)
        return system + said + form


class Delta(NamedTuple):
    """Words of the answer, as they came. May be empty, and may end in half a surrogate pair."""

    text: str


class Reasoning(NamedTuple):
    """Words of the model's thinking, as they came."""

    text: str


class Arguments(NamedTuple):
    """A piece of a tool's call came: so many bytes of what the call will hold."""

    size: int


class Done(NamedTuple):
    """The provider has said that the answer is whole. Nothing follows."""

    finish_reason: str
    usage: dict[str, Any] | None


Part = Delta | Reasoning | Arguments | ToolCall | Done

CODES = (
    "provider_auth", "provider_rate_limited", "provider_overloaded", "provider_timeout", "provider_cut",
    "provider_refused", "provider_error",
)  # fmt: skip
"""Of a provider's failures."""


class ProviderError(Exception):
    """The provider failed. `text` is safe to show to a user; `code` is stable, one of CODES."""

    def __init__(self, code: str, text: str, *, retryable: bool) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retryable = retryable


class Provider(Protocol):
    """A vendor behind its own async SDK."""

    name: str
    models: tuple[str, ...]
    """The models that this process offers, the default first."""
    formats: tuple[str, ...]
    """What it can hold an answer to, by the types of a request's format; another one is refused before it begins."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """Ask, and give each part as it comes; the last is Done. Raises ProviderError, and nothing else.

        A stream that ends without the vendor's own word that it is whole is `provider_cut`. Closing the generator
        (or cancelling the task that reads it) closes the HTTP response at once, so that nobody pays for the rest.
        """
        ...

    async def warm(self) -> None:
        """Have the SDK load now what it would load at its first request. Sends nothing."""
        ...

    async def close(self) -> None:
        """Close the SDK's connections."""
        ...
