"""What consume-stream tells of the AI SDK's chat, in the words of its description."""

from shared.openapi import GENERATION, POSITION, SESSION_ID, Refusals, Schema, answer, operation, parameter

_TOLD: Refusals = {
    400: ("invalid_generation",),
    409: ("resume_point_void",),
    429: ("too_many_viewers_of_session", "too_many_viewers_of_owner"),
    503: ("draining", "too_many_viewers"),
}
_LISTED: Refusals = {400: ("invalid_limit",)}
_SESSION = parameter("session", SESSION_ID, "Which.", "path", required=True)
_SHARE = parameter("share", {"type": "string"}, "The token of a link: who brings it reads, and needs to be nobody.")
_TEXT: Schema = {"type": "string"}
_MESSAGE: Schema = {
    "type": "object",
    "required": ["id", "role", "parts"],
    "properties": {
        "id": _TEXT,
        "role": {"enum": ["user", "assistant"]},
        "parts": {"type": "array", "items": {"type": "object", "required": ["type"], "properties": {"type": _TEXT}}},
        "metadata": {"type": "object"},
    },
}


def paths(*shown: Refusals, **known: object) -> dict[str, Schema]:
    """The routes, which refuse as every one that shows a session, and otherwise."""
    generation = "Which answer, also when it is over; without it the newest with all of its message, while it runs."
    asked = [
        _SESSION,
        parameter("generation", GENERATION, generation),
        parameter("Last-Event-ID", POSITION, "The last entry that the client has: a resume point.", "header"),
        _SHARE,
    ]
    told = answer("The UI message stream, version 1.")
    told["headers"]["Content-Location"] = {"description": "The same answer by its number.", "schema": _TEXT}
    told["content"] = {"text/event-stream": {"schema": _TEXT}}
    streamed = {"200": told, "204": answer("Nothing runs, or there is no more.")}
    stream = operation("chatStream", "The AI SDK's chat: follow.", streamed, *shown, _TOLD, parameters=asked, **known)
    limit = {"type": "integer", "minimum": 1, "maximum": 200, "default": 200}
    asked = [_SESSION, parameter("limit", limit, "Answers at most, of the newest."), _SHARE]
    listed = {"200": answer("Oldest first.", {"type": "array", "items": _MESSAGE})}
    summary = "The AI SDK's chat: its messages."
    messages = operation("chatMessages", summary, listed, *shown, _LISTED, parameters=asked, **known)
    return {"/api/chat/{session}/stream": {"get": stream}, "/api/chat/{session}/messages": {"get": messages}}
