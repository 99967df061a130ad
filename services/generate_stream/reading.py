"""Reading bodies: within their limit, parsed strictly, validated, with one clear error for whatever is wrong."""

import asyncio
import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from services.generate_stream import conversation
from services.generate_stream.bodies import PATTERNS, DeleteBody, ShareBody, StartBody, StopBody, UnshareBody
from shared import keys
from shared.http import ApiError
from shared.nesting import is_too_deep
from shared.text import whole

_BODY_TIMEOUT_S = 10.0
_JSON_PER_BYTE = 6
"""A byte of text may take this many in JSON: \\u0000 for a NUL."""
_OTHER_FIELDS_MAX_BYTES = 64 * 1024

Body = TypeVar("Body", StartBody, StopBody, DeleteBody, ShareBody, UnshareBody)
Model = TypeVar("Model", bound=BaseModel)


async def read(request: Request, kind: type[Body], text_max_bytes: int) -> Body:
    """The body as `kind`. Raises ApiError: 400, 408, 413, 415 or 422."""
    return validate(await read_json(request, text_max_bytes), kind, text_max_bytes)


async def read_json(request: Request, text_max_bytes: int) -> Any:
    """The body as JSON, whatever it holds: for who parses it by himself. Raises ApiError: 400, 408, 413 or 415."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "unsupported_media_type", "Send JSON, with Content-Type: application/json.")
    raw = await _bytes(request, text_max_bytes * _JSON_PER_BYTE + _OTHER_FIELDS_MAX_BYTES)
    return _json(raw)


def validate(value: Any, kind: type[Body], text_max_bytes: int) -> Body:
    """A parsed body as `kind`, with what is looked at beyond its form. Raises ApiError: 400, 413 or 422."""
    body = of_its_form(value, kind)
    if body.sessionId is not None:
        session_id(body.sessionId)
    if isinstance(body, StartBody) and body.size > text_max_bytes:
        text = f"prompt, messages, toolResults, tools, format and system may take {text_max_bytes} bytes in all."
        raise ApiError(413, "prompt_too_large", text)
    if isinstance(body, StartBody) and (fault := conversation.fault(body.messages or [])):
        raise ApiError(400, "invalid_conversation", f"messages: {fault}.", param="messages")
    return body


def of_its_form(value: Any, kind: type[Model]) -> Model:
    """A parsed body as any model. Raises ApiError: 400 or 422."""
    if not isinstance(value, dict):
        raise ApiError(400, "invalid_json", "The body must be a JSON object.")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        _refuse(error, value)


def session_id(text: str) -> str:
    """A session id as it came. Raises ApiError with 400."""
    if not keys.is_session(text):
        raise ApiError(400, "invalid_session_id", "sessionId takes 8 to 64 letters, digits, _ and -.")
    return text


async def _bytes(request: Request, limit: int) -> bytes:
    too_large = ApiError(413, "body_too_large", f"The body takes {limit} bytes at most.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise ApiError(408, "request_timeout", f"The body did not come within {_BODY_TIMEOUT_S:g} s.") from None
    except ClientDisconnect:
        raise ApiError(400, "invalid_json", "The body broke off.") from None
    return bytes(body)


def _json(raw: bytes) -> Any:
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except RecursionError:
        raise _not_json("nested too deeply") from None
    except ValueError as error:
        raise _not_json(str(error)[:200]) from None
    if is_too_deep(value):
        raise _not_json("nested too deeply")
    return value


def _not_json(reason: str) -> ApiError:
    return ApiError(400, "invalid_json", f"The body is not JSON: {reason}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = {whole(name): _whole(member) for name, member in pairs}
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    return [_whole(member) for member in value] if isinstance(value, list) else value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return value


def _refuse(error: ValidationError, value: Any) -> NoReturn:
    # The value itself is left out: it may be long, and it may be private.
    first = error.errors(include_url=False, include_input=False)[0]
    where = _path(value, first["loc"], missing=first["type"] == "missing")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        message = PATTERNS.get(first["ctx"]["pattern"], message)
    elif first["type"] == "union_tag_invalid":
        where, message = f"{where}.{first['ctx']['discriminator'][1:-1]}", f"It takes {first['ctx']['expected_tags']}"
    if not where:
        raise ApiError(400, "invalid_request", f"{message}.") from None
    if first["type"] == "extra_forbidden":
        raise ApiError(422, "unknown_field", f"{where[:100]}: there is no such field.", param=where[:100]) from None
    if first["type"] == "missing":
        raise ApiError(400, "invalid_request", f"{where[:100]}: this is missing.", param=where[:100]) from None
    raise ApiError(422, "invalid_field", f"{where[:100]}: {message}.", param=where[:100]) from None


def _path(value: Any, loc: tuple[str | int, ...], *, missing: bool) -> str:
    """Where an error is, in the client's own names: a `loc` names the kinds that a value might be as well."""
    path = []
    for at, part in enumerate(loc):
        if part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int):
            value = value[part]
            path.append(str(part))
        elif missing and at == len(loc) - 1:
            path.append(str(part))
    return ".".join(path)
