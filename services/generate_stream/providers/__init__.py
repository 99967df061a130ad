"""What a provider is: one request in, a stream of deltas out, one Done or one ProviderError at its end."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol


class Message(NamedTuple):
    """One message of the conversation, as the vendors' APIs name it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """What the model is asked: the whole conversation, the question last."""

    model: str
    messages: list[Message] = field(repr=False)
    system: str | None = field(default=None, repr=False)
    max_tokens: int | None = None
    temperature: float | None = None

    @property
    def size(self) -> int:
        """Bytes of all that is said."""
        return sum(len(text.encode()) for text in (self.system or "", *(said.content for said in self.messages)))


class Delta(NamedTuple):
    """Words of the answer, as they came. May be empty, and may end in half a surrogate pair."""

    text: str


class Reasoning(NamedTuple):
    """Words of the model's thinking, as they came."""

    text: str


class Done(NamedTuple):
    """The provider has said that the answer is whole. Nothing follows."""

    finish_reason: str
    usage: dict[str, Any] | None


Part = Delta | Reasoning | Done

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
