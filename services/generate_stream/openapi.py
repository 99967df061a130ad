"""What generate-stream tells of itself: its routes, their bodies and every way in which they refuse."""

import re
from typing import Any

from services.generate_stream import access_paths
from services.generate_stream.attempt import LOST_CODE
from services.generate_stream.bodies import DeleteBody, ShareBody, StartBody, StopBody, UnshareBody
from services.generate_stream.dialects import chat_paths, completions_paths, responses_paths
from services.generate_stream.providers import CODES
from shared.dialects.reads import PATHS
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
    document,
    operation,
    parameter,
    ref,
)

SERVICE = "generate-stream"

_BODIES = (StartBody, StopBody, DeleteBody, ShareBody, UnshareBody)
_START: Refusals = {
    400: ("invalid_idempotency_key", "invalid_conversation"),
    404: ("session_not_found",),
    409: ("generation_running", "session_full"),
    413: ("prompt_too_large",),
    422: (
        "provider_unknown",
        "unsupported_parameter",
        "idempotency_key_reused",
        "replaces_unknown",
        "after_unknown",
        "tool_results_unexpected",
    ),
    429: ("too_many_starts", "too_many_running_of_owner", "too_many_running_of_address", "too_many_tokens"),
    502: (*CODES, LOST_CODE),
    503: ("draining", "too_many_running", "storage_full", "handed_over"),
}
_CHANGED = (BODY, ASKED, FROM_ELSEWHERE, AWAY)
_KEY = parameter(
    "Idempotency-Key",
    IDEMPOTENCY_KEY,
    "The same key with the same body is the same generation; without a sessionId it decides the session too.",
    "header",
)
_TEXT: Schema = {"type": "string"}


def described(*, doctor: bool) -> Schema:
    """The description, with the routes that are there only for the doctor or without them."""
    paths: dict[str, Schema] = {
        "/api/generate-stream": {"post": _start()},
        "/api/stop-stream": {"post": _stop()},
        "/api/delete-stream": {"post": _delete()},
        "/api/models": {"get": _models()},
        **access_paths.PATHS,
        **chat_paths.PATHS,
        **completions_paths.PATHS,
        **responses_paths.PATHS,
    }
    for path in PATHS:
        paths[path] = paths.get(path, {}) | {"get": _sent_on(path)}
    if doctor:
        reported = {"200": answer("What it sees of Redis.", {"type": "object"})}
        paths["/api/generate-stream/doctor"] = {"get": operation("doctor", "For the doctor.", reported, AWAY)}
    return document(SERVICE, "Writes answers into the logs of their sessions.", paths, _schemas())


def _sent_on(path: str) -> Schema:
    words = re.findall(r"\w+", path)
    [which] = re.findall(r"{(\w+)}", path)
    name = "sentOn" + "".join(word.title() for word in words)
    responses = {"307": answer("Consume-stream tells of it: the same path below a prefix, for who could not tell.")}
    asked = [parameter(which, {"type": "string"}, "Which.", "path", required=True)]
    return operation(name, "Sent on to consume-stream.", responses, parameters=asked)


def _start() -> Schema:
    responses = {
        "200": answer("`stream: false`: the answer, whole or stopped.", ref("Answer")),
        "202": answer("It has begun, or had with this key: follow it at streamUrl.", ref("Begun")),
    }
    asked: dict[str, Any] = {"requestBody": body("StartBody"), "parameters": [_KEY]}
    return operation("start", "Begin a generation.", responses, *_CHANGED, _START, security=KNOWN, **asked)


def _stop() -> Schema:
    stopped = {"type": "object", "required": ["stopped"], "properties": {"stopped": {"const": False}}}
    stopping = {"stopped": {"const": True}, "generation": GENERATION}
    responses = {
        "200": answer("Nothing runs.", stopped),
        "202": answer("It is being stopped.", {"type": "object", "required": list(stopping), "properties": stopping}),
    }
    asked: dict[str, Any] = {"requestBody": body("StopBody"), "security": KNOWN}
    return operation("stop", "Stop what runs, from anywhere.", responses, *_CHANGED, NO_SESSION, **asked)


def _delete() -> Schema:
    responses = {"204": answer("It is gone, or never was.")}
    return operation(
        "delete", "Delete a session.", responses, *_CHANGED, requestBody=body("DeleteBody"), security=KNOWN
    )


def _models() -> Schema:
    responses = {"200": answer("Providers and their models.", ref("Models"))}
    return operation("models", "What may be asked.", responses, ASKED, FROM_ELSEWHERE, security=KNOWN)


def _schemas() -> dict[str, Schema]:
    schemas: dict[str, Schema] = {}
    for kind in _BODIES:
        schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        optional = "sessionId" not in schema.get("required", ())
        # The rest of what is checked: a client's own name for a session, and that there is one question.
        schema["properties"]["sessionId"] = {"anyOf": [SESSION_ID, {"type": "null"}]} if optional else SESSION_ID
        schemas[kind.__name__] = schema
    schemas["StartBody"] |= {"oneOf": [_only("prompt"), _only("messages"), _only("toolResults")]}
    schemas["TurnMessage"] |= {"oneOf": [_of_role(*role) for role in _ROLES]}
    begun = {"sessionId": SESSION_ID, "generation": GENERATION, "streamUrl": {**_TEXT, "format": "uri-reference"}}
    schemas["Begun"] = {"type": "object", "required": list(begun), "properties": begun}
    ended = {"status": {"enum": ["completed", "stopped"]}, "text": _TEXT, "reasoning": _TEXT}
    more = {"usage": {"type": ["object", "null"]}, "finishReason": {"type": ["string", "null"]}}
    answered = {"sessionId": SESSION_ID, "generation": GENERATION, **ended, **more}
    called = {"toolCalls": {"type": "array", "minItems": 1, "items": ref("Call")}}
    schemas["Answer"] = {"type": "object", "required": list(answered), "properties": answered | called}
    return (
        schemas
        | access_paths.SCHEMAS
        | chat_paths.SCHEMAS
        | completions_paths.SCHEMAS
        | responses_paths.SCHEMAS
        | {"Models": _models_schema()}
    )


_QUESTIONS = ("prompt", "messages", "toolResults")
_NULL: Schema = {"type": "null"}
_WORDS: Schema = {"required": ["content"], "properties": {"content": {"pattern": r"\S"}}}
_CALLS: Schema = {"required": ["toolCalls"], "properties": {"toolCalls": {"type": "array"}}}
_ROLES: tuple[tuple[list[str], Schema, tuple[str, ...]], ...] = (
    (["system", "user"], _WORDS, ("toolCalls", "callId")),
    (["assistant"], {"anyOf": [_WORDS, _CALLS]}, ("callId",)),
    (["tool"], {"required": ["callId"], "properties": {"callId": {"type": "string"}}}, ("toolCalls",)),
)
"""Of messages: the roles, what they must have, what they can't."""


def _of_role(roles: list[str], needs: Schema, lacks: tuple[str, ...]) -> Schema:
    properties: Schema = {"role": {"enum": roles}, **dict.fromkeys(lacks, _NULL)}
    return {"allOf": [{"properties": properties}, needs]}


def _only(one: str) -> Schema:
    chosen: Schema = {"not": _NULL}
    others = {other: _NULL for other in _QUESTIONS if other != one}
    if one == "messages":
        chosen["contains"] = {"properties": {"role": {"const": "user"}}}
        others["after"] = _NULL
    return {"required": [one], "properties": {one: chosen, **others}}


def _models_schema() -> Schema:
    provider = {"name": _TEXT, "models": {"type": "array", "items": _TEXT, "minItems": 1}}
    first = {"provider": _TEXT, "model": _TEXT}
    properties = {
        "default": {"type": "object", "required": list(first), "properties": first},
        "providers": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": list(provider), "properties": provider},
        },
    }
    return {"type": "object", "required": list(properties), "properties": properties}
