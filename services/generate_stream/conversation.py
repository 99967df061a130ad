"""Conversations that clients bring along: whether each call of a tool is answered, as vendors want it. Pure."""

from collections.abc import Sequence

from services.generate_stream.bodies import TurnMessage


def fault(messages: Sequence[TurnMessage]) -> str | None:
    """What is wrong with the calls of tools in a conversation; None where nothing is.

    Each call is answered once, by the tools' messages right behind the assistant's that has called.
    """
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool":
            if message.callId not in waiting:
                return f"no call waits for what a tool gave back to {message.callId}"
            waiting.remove(message.callId)
        elif waiting:
            break
        waiting += [call.callId for call in message.toolCalls or []]
    if waiting:
        return f"what the tool gave back to {waiting[0]} is missing behind its call"
    has_tools = any(message.role == "tool" for message in messages)
    if has_tools and messages[-1].role not in ("user", "tool"):
        return "with calls of tools, the last one must be the user's, or a tool's"
    return None
