"""Asking: from a body, as a client sent it, to what a provider is asked. Pure."""

from typing import Literal

from services.generate_stream.bodies import JsonObject, NamedTool, StartBody, TurnMessage
from services.generate_stream.providers import ChatRequest, JsonSchema, Message, Named, Tool, ToolCall


def request(body: StartBody, model: str, messages: list[Message]) -> ChatRequest:
    """What the model is asked, with the conversation that it is told."""
    return ChatRequest(
        model,
        messages,
        body.system,
        max_tokens=body.maxTokens,
        temperature=body.temperature,
        top_p=body.topP,
        stop=body.stop,
        tools=[Tool(tool.name, tool.description, tool.parameters, tool.strict) for tool in body.tools or ()],
        tool_choice=Named(body.toolChoice.name) if isinstance(body.toolChoice, NamedTool) else body.toolChoice,
        parallel_tool_calls=body.parallelToolCalls,
        format=_format(body),
    )


def message(said: TurnMessage) -> Message:
    """A message that a client brought along."""
    calls = tuple(ToolCall(call.callId, call.name, call.arguments) for call in said.toolCalls or ())
    return Message(said.role, said.content, calls, said.callId or "")


def results(body: StartBody) -> list[Message]:
    """What tools gave back, as messages."""
    return [Message("tool", result.content, call_id=result.callId) for result in body.toolResults or ()]


def _format(body: StartBody) -> Literal["json_object"] | JsonSchema | None:
    asked = body.format
    if asked is None:
        return None
    if isinstance(asked, JsonObject):
        return asked.type
    return JsonSchema(asked.name, asked.description, asked.json_schema, asked.strict)
