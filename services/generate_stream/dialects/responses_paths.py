"""What generate-stream tells of Responses, in the words of its description."""

from typing import Any

from services.generate_stream.bodies import StartBody
from shared.dialects.response_paths import RESPONSE
from shared.openapi import (
    ASKED,
    AWAY,
    FROM_ELSEWHERE,
    IDEMPOTENCY_KEY,
    JSON_BODY,
    KNOWN,
    Refusals,
    Schema,
    answer,
    body,
    operation,
    parameter,
    ref,
)

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": ["boolean", "null"]}
_CHANGED = (ASKED, FROM_ELSEWHERE, AWAY)
_NOT_FOUND: Refusals = {404: ("response_not_found", "session_not_found"), 503: ("handed_over",)}
_RUNNING: Refusals = {409: ("generation_running",)}
_REFUSED: Refusals = {
    400: (
        "invalid_idempotency_key", "invalid_value", "invalid_field", "unsupported_parameter", "invalid_conversation",
        "previous_response_not_found", "idempotency_key_reused", "tool_results_unexpected",
    ),
    404: ("session_not_found",),
    409: ("generation_running", "session_full"),
    413: ("prompt_too_large",),
    429: ("too_many_starts", "too_many_running_of_owner", "too_many_running_of_address", "too_many_tokens"),
    503: ("draining", "too_many_running", "storage_full", "handed_over"),
}  # fmt: skip
_KEY = parameter(
    "Idempotency-Key",
    IDEMPOTENCY_KEY,
    "The same key with the same body is the same response: a retry asks no model again.",
    "header",
)
_WORDS: Schema = {**_TEXT, "pattern": r"\S"}
_MESSAGE: Schema = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "type": {"const": "message"},
        "role": {"enum": ["user", "assistant", "system", "developer"]},
        "content": _WORDS,
    },
}
# The bounds of what goes into a start as it is.
_OF_START: dict[str, Schema] = {
    name: {"anyOf": schema["anyOf"]}
    for name, schema in StartBody.model_json_schema()["properties"].items()
    if name in ("model", "maxTokens", "temperature", "topP", "metadata")
}
_PROPERTIES: dict[str, Any] = {
    "model": _OF_START["model"],
    "input": {
        "description": "Words, or items: messages, function_call, function_call_output.",
        "anyOf": [_WORDS, {"type": "array", "items": _MESSAGE, "minItems": 1, "contains": {
            "properties": {"role": {"const": "user"}}}}],
    },
    "instructions": {"type": ["string", "null"], "description": "Of this request alone."},
    "stream": _FLAG,
    "background": _FLAG,
    "max_output_tokens": _OF_START["maxTokens"],
    "temperature": _OF_START["temperature"],
    "top_p": _OF_START["topP"],
    "metadata": {**_OF_START["metadata"], "description": "Told again by every read, to whoever may read."},
}  # fmt: skip
"""What is said of most requests. A request may say more: `tools`, `previous_response_id` and all that the API takes."""


def _create() -> Schema:
    begun = answer("`stream: true`: it has begun, or had with this key.")
    begun["headers"]["Location"] = {
        "description": "Where it is read: from consume-stream.", "required": True, "schema": _TEXT,
    }  # fmt: skip
    responses = {"200": answer("It as it stands: its end, or with `background: true` its beginning.", ref("Response"))}
    refusals = (JSON_BODY, *_CHANGED, _REFUSED)
    asked: dict[str, Any] = {"requestBody": body("ResponseBody"), "parameters": [_KEY], "security": KNOWN}
    return operation("createResponse", "Responses: ask.", responses | {"303": begun}, *refusals, **asked)


def _cancel() -> Schema:
    responses = {"200": answer("It, with its end.", ref("Response"))}
    asked: dict[str, Any] = {"parameters": [RESPONSE], "security": KNOWN}
    return operation("cancelResponse", "Responses: stop this one.", responses, *_CHANGED, _NOT_FOUND, **asked)


def _delete() -> Schema:
    gone = {"id": _TEXT, "object": {"const": "response"}, "deleted": {"const": True}}
    responses = {"200": answer("Its words are gone.", {"type": "object", "required": [*gone], "properties": gone})}
    asked: dict[str, Any] = {"parameters": [RESPONSE], "security": KNOWN}
    refusals = (*_CHANGED, _NOT_FOUND, _RUNNING)
    return operation("deleteResponse", "Responses: erase this one.", responses, *refusals, **asked)


PATHS: dict[str, Schema] = {
    "/v1/responses": {"post": _create()},
    "/v1/responses/{response}": {"delete": _delete()},
    "/v1/responses/{response}/cancel": {"post": _cancel()},
}
_OBJECT: dict[str, Any] = {
    "id": _TEXT,
    "object": {"const": "response"},
    "status": {"enum": ["in_progress", "completed", "incomplete", "cancelled", "failed"]},
    "output": {"type": "array", "items": {"type": "object"}},
}
SCHEMAS: dict[str, Schema] = {
    "ResponseBody": {"type": "object", "required": ["input"], "properties": _PROPERTIES},
    "Response": {"type": "object", "required": [*_OBJECT], "properties": _OBJECT},
}
