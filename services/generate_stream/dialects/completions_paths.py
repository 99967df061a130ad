"""What generate-stream tells of Chat Completions, in the words of its description."""

from services.generate_stream.attempt import LOST_CODE
from services.generate_stream.dialects.completions_form import CompletionBody
from services.generate_stream.dialects.completions_refusals import NEUTRAL
from services.generate_stream.providers import CODES
from shared.dialects.failures import status_of
from shared.openapi import (
    ASKED,
    AWAY,
    FROM_ELSEWHERE,
    IDEMPOTENCY_KEY,
    JSON_BODY,
    KNOWN,
    NO_SESSION,
    Refusals,
    Schema,
    answer,
    body,
    operation,
    parameter,
    ref,
)

_ALL_CODES = (*CODES, LOST_CODE)
FAILURES: Refusals = {
    status: tuple(code for code in _ALL_CODES if status_of(code) == status) for status in map(status_of, _ALL_CODES)
}
"""Of an answer that failed, by its code."""

_REFUSED: Refusals = {
    400: (
        "invalid_idempotency_key", "invalid_field", "unsupported_parameter", "invalid_conversation",
        "idempotency_key_reused",
    ),
    409: ("generation_running", "session_full"),
    413: ("prompt_too_large",),
    429: ("too_many_starts", "too_many_running_of_owner", "too_many_running_of_address", "too_many_tokens"),
    503: ("draining", "too_many_running", "storage_full", "handed_over"),
}  # fmt: skip
_KEY = parameter(
    "Idempotency-Key",
    IDEMPOTENCY_KEY,
    "The same key with the same body is the same completion: a retry asks no model again.",
    "header",
)
_TEXT: Schema = {"type": "string"}
_MODEL: Schema = {
    "type": "object",
    "required": ["id", "object", "created", "owned_by"],
    "properties": {"id": _TEXT, "object": {"const": "model"}, "created": {"type": "integer"}, "owned_by": _TEXT},
}


def _create() -> Schema:
    location = {"description": "Where it is read: from consume-stream.", "required": True, "schema": _TEXT}
    begun = answer("`stream: true`: it has begun, or had with this key.")
    begun["headers"]["Location"] = location
    responses = {"200": answer("The whole of it.", {"type": "object"}), "303": begun}
    refusals = (JSON_BODY, ASKED, FROM_ELSEWHERE, AWAY, NO_SESSION, _REFUSED, FAILURES)
    return operation(
        "createCompletion", "Chat Completions: ask.", responses, *refusals,
        requestBody=body("CompletionBody"), parameters=[_KEY], security=KNOWN,
    )  # fmt: skip


def _models() -> Schema:
    listed = {"object": {"const": "list"}, "data": {"type": "array", "minItems": 1, "items": ref("Model")}}
    told = answer("All of them.", {"type": "object", "required": list(listed), "properties": listed})
    return operation(
        "listModels", "Models, for OpenAI's clients.", {"200": told}, ASKED, FROM_ELSEWHERE, security=KNOWN
    )


def _one_model() -> Schema:
    name = {**_TEXT, "pattern": "^[A-Za-z0-9][A-Za-z0-9._:@/-]*$"}
    named = parameter("model", name, "By its name, which may hold slashes.", "path", required=True)
    responses = {"200": answer("It.", ref("Model"))}
    refusals: Refusals = {404: ("model_not_found",)}
    return operation(
        "model", "One model.", responses, ASKED, FROM_ELSEWHERE, refusals, parameters=[named], security=KNOWN
    )


def _schemas() -> dict[str, Schema]:
    schema = CompletionBody.model_json_schema(ref_template="#/components/schemas/Completion{model}")
    parts = {f"Completion{name}": part for name, part in schema.pop("$defs").items()}
    schema["properties"] |= {name: {"enum": [None, *neutral]} for name, neutral in NEUTRAL.items()}
    return {**parts, "CompletionBody": schema, "Model": _MODEL}


PATHS: dict[str, Schema] = {
    "/v1/chat/completions": {"post": _create()},
    "/v1/models": {"get": _models()},
    "/v1/models/{model}": {"get": _one_model()},
}
SCHEMAS = _schemas()
