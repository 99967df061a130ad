"""Chat Completions by the openai SDK: OpenAI itself, Gemini's endpoint, and every compatible server."""

import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk
from openai.types.completion_usage import CompletionUsage

from services.generate_stream.providers import (
    ChatRequest,
    Delta,
    Done,
    JsonSchema,
    Message,
    Named,
    Part,
    Reasoning,
    Tool,
)
from services.generate_stream.providers.calls import Calls
from services.generate_stream.providers.errors import cut, is_broken
from services.generate_stream.providers.rehearsal import rehearse
from services.generate_stream.providers.response import LIMITS, RETRIES, opened, timeout

BASE_URL = "https://api.openai.com/v1"
GEMINI_BASE_URL = "https://generativelanguage.googleapis.com/v1beta/openai/"

_CANNED = """\
data: {"choices":[{"index":0,"delta":{"content":"Hello."},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}

data: [DONE]

"""


class OpenAI:
    """One server that speaks Chat Completions. Without a key, no Authorization header is sent at all."""

    formats: tuple[str, ...] = ("json_object", "json_schema")

    def __init__(
        self, name: str, models: tuple[str, ...], *, key: str | None, base_url: str, stall_timeout_s: float
    ) -> None:
        self.name = name
        self.models = models
        # Always our own header, so that no key of the environment goes to a server that it is not for.
        self._headers = {"Authorization": f"Bearer {key}" if key else openai.omit}
        self.client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=base_url,
            timeout=timeout(stall_timeout_s),
            max_retries=RETRIES,
            http_client=openai.DefaultAsyncHttpxClient(limits=LIMITS),
        )
        host = httpx2.URL(base_url).host
        self._own_host = host == "openai.com" or host.endswith(".openai.com")
        if not self._own_host:
            self.client.organization = self.client.project = None

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]:
        """Ask, and give each part as it comes; see Provider."""
        finish_reason, usage, calls = "", None, Calls(request)
        create = self.client.chat.completions.create
        async with opened(create(**self._parameters(request), extra_headers=self._headers), openai) as chunks:
            try:
                async for chunk in chunks:
                    for part in _parts(chunk, calls):
                        yield part
                    finish_reason = _finish_reason(chunk) or finish_reason
                    if finish_reason:
                        for call in calls.all():
                            yield call
                    usage = _usage(chunk) or usage
            except Exception as exc:
                # After its finish_reason the answer is whole; only the bill was lost.
                if not (finish_reason and is_broken(exc, openai)):
                    raise
            if not finish_reason:
                raise cut()
        yield Done(finish_reason, usage)

    async def warm(self) -> None:
        """Have the SDK load what it puts off; see Provider."""
        await rehearse(self, _CANNED)

    async def close(self) -> None:
        """Close the SDK's connections."""
        await self.client.close()

    def _parameters(self, request: ChatRequest) -> dict[str, Any]:
        messages = [_message(message) for message in request.messages]
        if request.system:
            messages.insert(0, {"role": "system", "content": request.system})
        parameters: dict[str, Any] = {
            "model": request.model,
            "messages": [],
            # In the messages that it is given by name the SDK looks for types that it would have to turn into JSON:
            # 0.15 ms each, so that a conversation of 200 would hold every other answer of this process up for 30 ms.
            "extra_body": {"messages": messages, **_tools(request), **_format(request)},
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.max_tokens is not None:
            # OpenAI's models refuse the old name, most compatible servers don't know the new one.
            name = "max_completion_tokens" if self._own_host else "max_tokens"
            parameters[name] = request.max_tokens
        if request.temperature is not None:
            parameters["temperature"] = request.temperature
        if request.top_p is not None:
            parameters["top_p"] = request.top_p
        if request.stop:
            parameters["stop"] = request.stop
        return parameters


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in message.tool_calls
    ]
    return {"role": message.role, "content": message.content or None, "tool_calls": calls}


def _tools(request: ChatRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    told: dict[str, Any] = {"tools": [{"type": "function", "function": _tool(tool)} for tool in request.tools]}
    if isinstance(request.tool_choice, Named):
        told["tool_choice"] = {"type": "function", "function": {"name": request.tool_choice.name}}
    elif request.tool_choice:
        told["tool_choice"] = request.tool_choice
    if request.parallel_tool_calls is not None:
        told["parallel_tool_calls"] = request.parallel_tool_calls
    return told


def _tool(tool: Tool) -> dict[str, Any]:
    said = {"description": tool.description or None, "parameters": tool.parameters or None, "strict": tool.strict}
    return {"name": tool.name} | {name: value for name, value in said.items() if value is not None}


def _format(request: ChatRequest) -> dict[str, Any]:
    asked = request.format
    if not isinstance(asked, JsonSchema):
        return {"response_format": {"type": asked}} if asked else {}
    said = {name: value for name, value in asked._asdict().items() if value is not None}
    return {"response_format": {"type": "json_schema", "json_schema": said}}


def _parts(chunk: ChatCompletionChunk, calls: Calls) -> Iterator[Part]:
    # Compatible servers send null where the SDK's types promise a list or an object.
    for choice in chunk.choices or ():
        if delta := choice.delta:
            # Not in OpenAI's own API: DeepSeek and vLLM name it the first way, OpenRouter and Ollama the second.
            thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
            if isinstance(thought, str) and thought:
                yield from calls.whole()
                yield Reasoning(thought)
            # A refusal is the answer that the user gets, in another field.
            for text in (delta.content, delta.refusal):
                if isinstance(text, str) and text:
                    yield from calls.whole()
                    yield Delta(text)
            for piece in delta.tool_calls or ():
                name, arguments = (getattr(piece.function, each, None) for each in ("name", "arguments"))
                yield from calls.add(getattr(piece, "index", None), piece.id, name, _arguments(arguments))


def _arguments(said: object) -> str:
    """The arguments as text: some compatible servers send the object itself, some nothing."""
    return said if isinstance(said, str) else json.dumps(said) if said else ""


def _finish_reason(chunk: ChatCompletionChunk) -> str | None:
    said = next((choice.finish_reason for choice in chunk.choices or () if choice.finish_reason), None)
    # A compatible server may send anything here, and the SDK lets it through.
    return said if isinstance(said, str) or said is None else "unknown"


def _usage(chunk: ChatCompletionChunk) -> dict[str, Any] | None:
    if not isinstance(chunk.usage, CompletionUsage):
        return None
    return chunk.usage.to_dict(mode="json", exclude_none=True, warnings=False)
