"""Anthropic's Messages by the anthropic SDK, with the model's thinking."""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import anthropic
from anthropic.types import MessageDeltaUsage, RawMessageStreamEvent, Usage

from services.generate_stream.providers import ChatRequest, Delta, Done, Part, Reasoning
from services.generate_stream.providers.anthropic_messages import messages, output, tools
from services.generate_stream.providers.calls import Calls
from services.generate_stream.providers.errors import cut, is_broken
from services.generate_stream.providers.rehearsal import rehearse
from services.generate_stream.providers.response import LIMITS, RETRIES, opened, timeout

BASE_URL = "https://api.anthropic.com"

# The API wants a number. Thinking counts too, and no model that is still served takes less.
_MAX_TOKENS = 32_000

# Models that refuse {"type": "adaptive"}: those before Opus 4.6 and Sonnet 4.6, and Haiku 4. Every other name,
# also one that we never heard of, gets it: that is where the API is going.
# Source: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
_WITHOUT_THINKING = re.compile(
    r"claude-(instant|[1-3](?!\d)|haiku-4(?!\d)|(opus|sonnet)-4([-.][0-5])?(-\d{8})?(?![-.]?\d))", re.ASCII
)

_CANNED = """\
event: message_start
data: {"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello."}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}

event: message_stop
data: {"type":"message_stop"}

"""


class Anthropic:
    """Anthropic, or a server that speaks its Messages API."""

    name = "anthropic"
    formats: tuple[str, ...] = ("json_schema",)

    def __init__(self, models: tuple[str, ...], *, key: str, base_url: str, stall_timeout_s: float) -> None:
        self.models = models
        self.client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            timeout=timeout(stall_timeout_s),
            max_retries=RETRIES,
            http_client=anthropic.DefaultAsyncHttpxClient(limits=LIMITS),
            # Its own span would be a second one with the same tokens, and Anthropic would get our trace's id.
            open_telemetry=False,
        )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """Ask, and give each part as it comes; see Provider."""
        finish_reason, usage, whole, calls = "unknown", dict[str, Any](), False, Calls(request)
        async with opened(self.client.messages.create(**_parameters(request), stream=True), anthropic) as events:
            try:
                async for event in events:
                    for part in _parts(event, calls):
                        yield part
                    if event.type == "message_delta":
                        finish_reason = _stop_reason(event.delta.stop_reason) or finish_reason
                    elif event.type == "message_stop":
                        whole = True
                    usage |= _usage(event)
            except Exception as exc:
                # After message_stop nothing can be lost any more.
                if not (whole and is_broken(exc, anthropic)):
                    raise
            if not whole:
                raise cut()
        yield Done(finish_reason, usage or None)

    async def warm(self) -> None:
        """Have the SDK load what it puts off; see Provider."""
        await rehearse(self, _CANNED)

    async def close(self) -> None:
        """Close the SDK's connections."""
        await self.client.close()


def _parameters(request: ChatRequest) -> dict[str, Any]:
    """The request as this API takes it: the system's words apart, and a limit always."""
    system = [request.system or "", *(said.content for said in request.messages if said.role == "system")]
    parameters: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens or _MAX_TOKENS,
        "messages": messages(request),
        **tools(request),
        **output(request),
    }
    if request.stop:
        parameters["stop_sequences"] = request.stop
    if said := "\n\n".join(filter(None, system)):
        parameters["system"] = said
    if not _WITHOUT_THINKING.search(request.model):
        # By default the newer models think and keep it to themselves. A temperature is left out: these models
        # refuse one, and the SDK has no parameter for it any more.
        parameters["thinking"] = {"type": "adaptive", "display": "summarized"}
    elif request.temperature is not None:
        parameters["extra_body"] = {"temperature": request.temperature}
    elif request.top_p is not None:
        # The newer ones of these models refuse both at once.
        parameters["extra_body"] = {"top_p": request.top_p}
    return parameters


def _stop_reason(said: object) -> str:
    # A compatible server may send anything here, and the SDK lets it through.
    return said if isinstance(said, str) else ""


def _parts(event: RawMessageStreamEvent, calls: Calls) -> Iterator[Part]:
    if event.type == "content_block_delta":
        if event.delta.type == "text_delta":
            yield Delta(event.delta.text)
        elif event.delta.type == "thinking_delta":
            yield Reasoning(event.delta.thinking)
        elif event.delta.type == "input_json_delta":
            yield from calls.add(event.index, None, None, event.delta.partial_json)
    elif event.type == "content_block_start" and event.content_block.type == "tool_use":
        block = event.content_block
        # A compatible server may send the whole input at once.
        whole = json.dumps(block.input) if block.input else ""
        yield from calls.add(event.index, block.id, block.name, whole)
    elif event.type == "content_block_stop":
        yield from calls.close(event.index)
    elif event.type == "message_stop":
        yield from calls.all()


def _usage(event: RawMessageStreamEvent) -> dict[str, Any]:
    """What the event says of the bill; the counts are cumulative, so that a later one replaces an earlier one."""
    said: Usage | MessageDeltaUsage | None = None
    if event.type == "message_start":
        said = event.message.usage
    elif event.type == "message_delta":
        said = event.usage
    return said.to_dict(mode="json", exclude_none=True, warnings=False) if said else {}
