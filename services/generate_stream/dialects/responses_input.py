"""The input of a request for a response: items become messages, questions or what tools gave back. Pure."""

from typing import Any

from shared.dialects.response_refusals import invalid, unsupported

Message = dict[str, Any]
"""A message as StartBody takes it."""

_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
_TEXTS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
"""Parts that are words, and where each has them."""


def asked(value: Any, *, goes_on: bool) -> dict[str, Any]:
    """What StartBody is told: `prompt`, `messages` or `toolResults`. Raises ApiError with 400.

    With `goes_on` there is a session already, which has the conversation up to here.
    """
    if isinstance(value, str):
        return {"prompt": value}
    messages = _messages(value)
    roles = {message["role"] for message in messages}
    if not messages:
        raise invalid("input", "it holds nothing to answer")
    if roles == {"tool"} and goes_on:
        return {"toolResults": [{"callId": each["callId"], "content": each["content"]} for each in messages]}
    if roles == {"user"} and (goes_on or len(messages) == 1):
        return {"prompt": "\n\n".join(message["content"] for message in messages)}
    if goes_on:
        why = "after a previous response it takes a user's messages, or function_call_output items, and no others"
        raise unsupported("input", why)
    return {"messages": messages}


def text(value: Any, where: str) -> str:
    """The words of a text or of a list of parts. Raises ApiError with 400."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise invalid(where, "text, or a list of parts, is needed")
    words = []
    for at, part in enumerate(value):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in _TEXTS:
            raise unsupported(f"{where}[{at}]", "text is all that models are told here")
        said = part.get(_TEXTS[kind])
        if not isinstance(said, str):
            raise invalid(f"{where}[{at}].{_TEXTS[kind]}", "text is needed")
        words.append(said)
    return "".join(words)


def _messages(items: Any) -> list[Message]:
    if not isinstance(items, list):
        raise invalid("input", "text, or a list of items, is needed")
    messages: list[Message] = []
    for at, item in enumerate(items):
        where = f"input[{at}]"
        if not isinstance(item, dict):
            raise invalid(where, "an item is an object")
        match item.get("type", "message" if "role" in item else None):
            case "message":
                _say(messages, _said(item, where))
            case "function_call":
                _calling(messages)["toolCalls"].append(_call(item, where))
            case "function_call_output":
                output = text(item.get("output"), f"{where}.output")
                messages.append({"role": "tool", "callId": _string(item, "call_id", where), "content": output})
            case "reasoning":
                pass  # no vendor takes another's thoughts, and a model thinks anew
            case kind:
                raise unsupported(where, f"items of the type {str(kind)[:40]} are not known here")
    return messages


def _say(messages: list[Message], said: list[Message]) -> None:
    for message in said:
        if message["role"] == "assistant" and messages and "toolCalls" in messages[-1]:
            # Words behind a call, as some models say them: to vendors they are one message, and its results follow.
            messages[-1]["content"] = messages[-1].get("content", "") + message["content"]
        else:
            messages.append(message)


def _said(item: dict[str, Any], where: str) -> list[Message]:
    role = _ROLES.get(str(item.get("role")))
    if role is None:
        raise invalid(f"{where}.role", f"it takes {', '.join(_ROLES)}")
    content = text(item.get("content"), f"{where}.content")
    if role == "assistant" and not content.strip():
        return []  # an answer without words, which a client sends back as it stood
    return [{"role": role, "content": content}]


def _calling(messages: list[Message]) -> Message:
    """The assistant's message that a call belongs to: the one before it, or one of its own."""
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant"})
    messages[-1].setdefault("toolCalls", [])
    return messages[-1]


def _call(item: dict[str, Any], where: str) -> dict[str, str]:
    names = {"callId": "call_id", "name": "name", "arguments": "arguments"}
    return {ours: _string(item, theirs, where) for ours, theirs in names.items()}


def _string(item: dict[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise invalid(f"{where}.{name}", "text is needed")
    return value
