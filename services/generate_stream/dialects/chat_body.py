"""Bodies of the AI SDK's chat: what its transports send, read into what is asked for. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from services.generate_stream import reading
from shared.dialects import chat
from shared.http import ApiError

Message = dict[str, Any]
Fields = dict[str, Any]

_OURS = (
    "provider", "model", "system", "maxTokens", "temperature", "topP", "stop", "tools", "toolChoice",
    "parallelToolCalls", "format",
)  # fmt: skip
"""Fields of a start that an application may add to the body."""
_OUTPUTS = {"output-available": "output", "output-error": "errorText", "output-denied": None}
_DENIED = "The user has denied this call."


class Turn(NamedTuple):
    """What a body asks for, before the log is looked at."""

    session: str
    options: Fields
    """Of the start, as the application gave them."""
    prompt: str
    results: list[Fields]
    conversation: list[Fields]
    """All that was brought, as a start takes it."""
    whole: bool
    """Whether the client has sent its whole conversation, and not its last message alone."""
    goes_on: int | None
    """The answer that it goes on from, by the generation that began it."""
    imported: bool
    """Whether there are answers, and none that could be ours."""
    regenerates: bool
    named: int | None
    """The generation whose answer is regenerated, or whose question is written anew, where that is said."""


def parse(body: Any) -> Turn:
    """Read a body. Raises ApiError with 400."""
    if not isinstance(body, dict):
        raise ApiError(400, "invalid_json", "The body must be a JSON object.")
    session = reading.session_id(body["id"] if isinstance(body.get("id"), str) else "")
    regenerates, named = body.get("trigger") == "regenerate-message", body.get("messageId")
    brought = _brought(body)
    if regenerates:
        brought = _without_answer(brought, named)
    answers = [place for place, message in enumerate(brought) if message["role"] == "assistant"]
    ours = [place for place in answers if chat.generation_of(brought[place].get("id"), session)]
    results = _results(brought[-1]) if brought and answers[-1:] == [len(brought) - 1] else []
    prompt = "\n\n".join(filter(None, map(_text, _questions(brought, ours[-1] if ours else -1))))
    if not (prompt or results or (regenerates and not brought and "messages" not in body)):
        said = "The last message must be a user's, with words, or have what tools gave back."
        raise ApiError(400, "nothing_asked", said)
    return Turn(
        session,
        {name: body[name] for name in _OURS if body.get(name) is not None} | _tools(body.get("tools")),
        prompt,
        results,
        list(_conversation(brought)),
        "messages" in body,
        chat.generation_of(brought[ours[-1]]["id"], session) if ours else None,
        bool(answers) and not ours,
        regenerates,
        chat.generation_of(named.removesuffix(".user"), session) if isinstance(named, str) else None,
    )


def _brought(body: Fields) -> list[Message]:
    message = body.get("message")
    messages = body.get("messages", [] if message is None else [message])
    if not isinstance(messages, list):
        raise _invalid("messages takes a list")
    for each in messages:
        if not isinstance(each, dict) or each.get("role") not in ("system", "user", "assistant"):
            raise _invalid("a message is an object, and its role is system, user or assistant")
        if any(part["type"] == "file" for part in _parts(each)):
            raise ApiError(400, "unsupported_parameter", "messages: file parts can't be given to the model here.")
    return messages


def _parts(message: Message) -> list[Fields]:
    parts = message.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) and "type" in part for part in parts):
        raise _invalid("a message has parts, a list of objects with a type")
    for part in parts:
        if not isinstance(part["type"], str) or (part["type"] == "text" and not isinstance(part.get("text"), str)):
            raise _invalid("a part's type is a text, and so is the text of a text part")
    return parts


def _without_answer(brought: list[Message], named: Any) -> list[Message]:
    """What comes before the answer that is regenerated; clients mostly leave it out by themselves."""
    found = [place for place, message in enumerate(brought) if named and message.get("id") == named]
    if found and brought[found[0]]["role"] == "assistant":
        return brought[: found[0]]
    said = len(brought)
    while said and brought[said - 1]["role"] == "assistant":
        said -= 1
    return brought[:said]


def _questions(brought: list[Message], answered: int) -> list[Message]:
    """The user's messages since the last answer of ours; without one, since the last answer."""
    asked: list[Message] = []
    for message in brought[answered + 1 :]:
        if message["role"] == "user":
            asked.append(message)
        elif message["role"] == "assistant":
            asked = []
    return asked


def _text(message: Message) -> str:
    return "\n".join(part["text"] for part in _parts(message) if part["type"] == "text").strip()


def _steps(message: Message) -> Iterator[list[Fields]]:
    step: list[Fields] = []
    for part in _parts(message):
        if part["type"] == "step-start":
            yield step
            step = []
        else:
            step.append(part)
    yield step


def _results(message: Message) -> list[Fields]:
    """What tools gave back in the last step of an answer."""
    *_, last = _steps(message)
    return [{"callId": _call_id(part), "content": _given(part)} for part in last if _is_answered(part)]


def _conversation(brought: list[Message]) -> Iterator[Fields]:
    for message in brought:
        if message["role"] != "assistant":
            text = _text(message)
            if text:
                yield {"role": message["role"], "content": text}
            continue
        for step in _steps(message):
            answered = [part for part in step if _is_answered(part)]
            text = _text({"parts": step})
            calls = [{"callId": _call_id(part), "name": _name(part), "arguments": _input(part)} for part in answered]
            if text or calls:
                yield {"role": "assistant", "content": text} | ({"toolCalls": calls} if calls else {})
            yield from ({"role": "tool", "callId": _call_id(part), "content": _given(part)} for part in answered)


def _is_answered(part: Fields) -> bool:
    of_tool = part["type"] == "dynamic-tool" or part["type"].startswith("tool-")
    state = part.get("state")
    return of_tool and not part.get("providerExecuted") and isinstance(state, str) and state in _OUTPUTS


def _given(part: Fields) -> str:
    if part["state"] == "output-available":
        return chat.told(part.get("output"))
    text = part.get("errorText") if part["state"] == "output-error" else _DENIED
    return chat.told_error(text if isinstance(text, str) else "It failed.")


def _input(part: Fields) -> str:
    given = part.get("input", part.get("rawInput"))
    return given if isinstance(given, str) else chat.told({} if given is None else given)


def _call_id(part: Fields) -> str:
    if not isinstance(part.get("toolCallId"), str):
        raise _invalid("a tool's part has a toolCallId")
    return str(part["toolCallId"])


def _name(part: Fields) -> str:
    name = part.get("toolName") if part["type"] == "dynamic-tool" else part["type"].removeprefix("tool-")
    if not isinstance(name, str):
        raise _invalid("a dynamic tool's part has a toolName")
    return name


def _tools(tools: Any) -> Fields:
    """Tools as an object by their names, as some libraries beside the AI SDK send them, in our form."""
    if not isinstance(tools, dict):
        return {}
    if not all(isinstance(tool, dict) for tool in tools.values()):
        raise _invalid("each tool is an object")
    told = ("description", "parameters", "strict")
    listed = [{"name": name} | {key: tool[key] for key in told if key in tool} for name, tool in tools.items()]
    return {"tools": listed or None}


def _invalid(what: str) -> ApiError:
    return ApiError(400, "invalid_request", f"messages: {what}.")
