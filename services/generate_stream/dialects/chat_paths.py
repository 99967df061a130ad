"""What generate-stream tells of the AI SDK's chat, in the words of its description."""

from services.generate_stream.bodies import StartBody
from shared.openapi import (
    ASKED,
    AWAY,
    BODY,
    FROM_ELSEWHERE,
    GENERATION,
    IDEMPOTENCY_KEY,
    KNOWN,
    NO_SESSION,
    SESSION_ID,
    Refusals,
    Schema,
    answer,
    body,
    operation,
    parameter,
)

_REFUSED: Refusals = {
    400: ("invalid_idempotency_key", "unsupported_parameter", "nothing_asked", "invalid_conversation"),
    409: ("generation_running", "session_full"),
    413: ("prompt_too_large",),
    422: (
        "provider_unknown", "unsupported_parameter", "idempotency_key_reused", "replaces_unknown",
        "tool_results_unexpected", "after_unknown",
    ),
    429: ("too_many_starts", "too_many_running_of_owner", "too_many_running_of_address", "too_many_tokens"),
    503: ("draining", "too_many_running", "storage_full"),
}  # fmt: skip
_IDS: Refusals = {400: ("invalid_session_id",), 422: ("invalid_field",)}
_OPTIONS = ("provider", "model", "system", "maxTokens", "temperature", "topP", "stop", "parallelToolCalls")
_KEY = parameter(
    "Idempotency-Key",
    IDEMPOTENCY_KEY,
    "The same key with the same body is the same answer. What tools gave back is known again without one.",
    "header",
)
_TEXT: Schema = {"type": "string"}
_PART: Schema = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {**_TEXT, "not": {"const": "file"}}},
    "if": {"properties": {"type": {"const": "text"}}},
    "then": {"required": ["text"], "properties": {"text": _TEXT}},
}
_MESSAGE: Schema = {
    "type": "object",
    "required": ["role", "parts"],
    "properties": {
        "role": {"enum": ["system", "user", "assistant"]},
        "parts": {"type": "array", "items": _PART},
    },
}
_ABOUT = (
    "As DefaultChatTransport sends it, with `trigger` and `messageId`; or with `message`, the last one alone. What an "
    "application adds by our names is taken: these and `tools`, `toolChoice`, `format`. Other fields are passed over."
)


def _start() -> Schema:
    begun = answer("It has begun, or had with this key.")
    location = {"description": "Where it is told: by consume-stream.", "required": True, "schema": _TEXT}
    begun["headers"]["Location"] = location
    refusals = (BODY, ASKED, FROM_ELSEWHERE, AWAY, NO_SESSION, _REFUSED)
    return operation(
        "chat", "The AI SDK's chat: ask.", {"303": begun}, *refusals,
        requestBody=body("ChatBody"), parameters=[_KEY], security=KNOWN,
    )  # fmt: skip


def _stop() -> Schema:
    asked = [
        parameter("session", SESSION_ID, "Which.", "path", required=True),
        parameter("generation", GENERATION, "Only this one; without it whatever runs."),
    ]
    idle: Schema = {"type": "object", "required": ["stopped"], "properties": {"stopped": {"const": False}}}
    stopping: Schema = {"stopped": {"const": True}, "generation": GENERATION}
    told = {"type": "object", "required": list(stopping), "properties": stopping}
    responses = {"200": answer("Nothing runs.", idle), "202": answer("It is being stopped.", told)}
    refusals = (_IDS, ASKED, FROM_ELSEWHERE, AWAY, NO_SESSION)
    return operation(
        "stopChat", "The AI SDK's chat: stop what runs.", responses, *refusals, parameters=asked, security=KNOWN
    )


def _schemas() -> dict[str, Schema]:
    schema = StartBody.model_json_schema()
    options = {name: schema["properties"][name] for name in _OPTIONS}
    properties = {"id": SESSION_ID, "messages": {"type": "array", "minItems": 1, "items": _MESSAGE}, **options}
    return {
        "ChatBody": {
            "type": "object",
            "description": _ABOUT,
            "required": ["id", "messages"],
            "properties": properties,
        }
    }


PATHS: dict[str, Schema] = {"/api/chat": {"post": _start()}, "/api/chat/{session}/stop": {"post": _stop()}}
SCHEMAS = _schemas()
