"""What a reader of a provider hears, folded; and the deadline that every such reading has."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from services.generate_stream.providers import (
    Arguments,
    ChatRequest,
    Delta,
    Done,
    Message,
    Provider,
    ProviderError,
    Reasoning,
    ToolCall,
)

DEADLINE_S = 20.0


@dataclass
class Heard:
    """The words of an answer, and how it ended: by `done` or by `error`, never by both, never by neither."""

    text: str = ""
    thinking: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    size: int = 0
    """Bytes of calls, as they came."""
    done: Done | None = None
    error: ProviderError | None = None


def request(prompt: str = "Hello?", model: str = "some-model", **fields: Any) -> ChatRequest:
    """A request with one question."""
    return ChatRequest(**{"model": model, "messages": [Message("user", prompt)], **fields})


async def hear(provider: Provider, asked: ChatRequest | None = None) -> Heard:
    """Read a whole answer. Only ProviderError is taken for an answer's failure; whatever else comes is a bug."""
    heard = Heard()
    try:
        async with asyncio.timeout(DEADLINE_S), aclosing(provider.stream(asked or request())) as parts:
            async for part in parts:
                assert heard.done is None, f"{part} came after Done"
                if isinstance(part, Delta):
                    heard.text += part.text
                elif isinstance(part, Reasoning):
                    heard.thinking += part.text
                elif isinstance(part, Arguments):
                    heard.size += part.size
                elif isinstance(part, ToolCall):
                    heard.calls.append(part)
                else:
                    heard.done = part
    except ProviderError as error:
        heard.error = error
    assert (heard.done is None) != (heard.error is None)
    return heard
