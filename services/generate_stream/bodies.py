"""Request bodies: read within their limit, parsed strictly, validated, with one clear error for whatever is wrong."""

import asyncio
import hashlib
import json
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from starlette.requests import ClientDisconnect, Request

from shared import keys
from shared.http import ApiError
from shared.text import whole

_BODY_TIMEOUT_S = 10.0
_JSON_PER_BYTE = 6
"""A byte of text may take this many in JSON: \\u0000 for a NUL."""
_OTHER_FIELDS_MAX_BYTES = 64 * 1024

TOOLS_MAX = 128
"""Tools of a request, and results given back at once."""

ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Body(BaseModel):
    # An error's text may end in a log: what was said stays out of it.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Call(_Body):
    """A tool that the model called, in a conversation that a client brings along."""

    callId: Short  # noqa: N815 - the contract's own spelling, as are those below
    name: ToolName
    arguments: str


class ToolResult(_Body):
    """What a tool gave back to one call."""

    callId: Short  # noqa: N815
    content: str


class TurnMessage(_Body):
    """One message that a client brings along: words, the calls of an assistant, or what a tool gave back to one."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    toolCalls: list[Call] | None = Field(default=None, min_length=1, max_length=TOOLS_MAX)  # noqa: N815
    callId: Short | None = None  # noqa: N815

    @model_validator(mode="after")
    def _of_its_role(self) -> Self:
        if self.toolCalls is not None and self.role != "assistant":
            raise ValueError("only an assistant's message has toolCalls")
        if (self.callId is not None) != (self.role == "tool"):
            raise ValueError("callId belongs to a tool's message, and each of them has one")
        if self.role != "tool" and self.toolCalls is None and not self.content.strip():
            raise ValueError("content must hold words")
        return self


class Tool(_Body):
    """A tool that the model may call. `parameters` is a JSON schema, handed on as it is."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class NamedTool(_Body):
    """The one tool that must be called."""

    name: ToolName


class StartBody(_Body):
    """`POST /api/generate-stream`: a question, a whole conversation that ends in one, or what tools gave back."""

    sessionId: str | None = None  # noqa: N815
    prompt: str | None = Field(default=None, pattern=r"\S")
    messages: list[TurnMessage] | None = Field(default=None, min_length=1, max_length=10_000)
    toolResults: list[ToolResult] | None = Field(default=None, min_length=1, max_length=TOOLS_MAX)  # noqa: N815
    after: int | None = Field(default=None, ge=0, le=2**31)
    """The generation that this one goes on from, where it is not the newest; 0 for the beginning."""
    provider: Short | None = None
    model: Short | None = None
    system: str | None = None
    maxTokens: int | None = Field(default=None, ge=1, le=1_000_000)  # noqa: N815
    temperature: float | None = Field(default=None, ge=0, le=2)
    topP: float | None = Field(default=None, ge=0, le=1)  # noqa: N815
    stop: list[str] | None = Field(default=None, min_length=1, max_length=4)
    tools: list[Tool] | None = Field(default=None, min_length=1, max_length=TOOLS_MAX)
    toolChoice: Literal["auto", "none", "required"] | NamedTool | None = None  # noqa: N815
    replaces: int | None = Field(default=None, ge=1, le=2**31)
    stream: bool = True

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum(given is not None for given in (self.prompt, self.messages, self.toolResults)) != 1:
            raise ValueError("give either prompt or messages, or toolResults")
        if self.messages is not None and self.after is not None:
            raise ValueError("messages bring the whole conversation: there is nothing for them to be after")
        if self.messages is not None and all(message.role != "user" for message in self.messages):
            raise ValueError("messages must hold a user's message")
        return self

    @property
    def leaves_calls_open(self) -> bool:
        """Whether it brings calls of tools along and ends neither in what these gave back nor in a question."""
        brought = self.messages or []
        has_tools = any(message.role == "tool" or message.toolCalls for message in brought)
        return has_tools and brought[-1].role not in ("user", "tool")

    @property
    def question(self) -> str:
        """The prompt, or the last user message; what tools gave back is none."""
        if self.messages is None:
            return self.prompt or ""
        return next(message.content for message in reversed(self.messages) if message.role == "user")

    @property
    def size(self) -> int:
        """Bytes of UTF-8 that the model is asked with."""
        said = [self.prompt or "", self.system or "", *(result.content for result in self.toolResults or [])]
        for message in self.messages or []:
            said += [message.content, *(call.arguments for call in message.toolCalls or [])]
        said += [tool.model_dump_json() for tool in self.tools or []]
        return sum(len(text.encode()) for text in said)

    def request(self) -> str:
        """What to run, as JSON: all but where it goes and how it is waited for."""
        return self.model_dump_json(exclude={"sessionId", "stream"}, exclude_none=True)

    def digest(self) -> str:
        """Tells one request from another."""
        return hashlib.sha256(self.request().encode()).hexdigest()


class StopBody(_Body):
    """`POST /api/stop-stream`."""

    sessionId: str  # noqa: N815
    generation: int | None = Field(default=None, ge=1, le=2**31)


class DeleteBody(_Body):
    """`POST /api/delete-stream`."""

    sessionId: str  # noqa: N815


class ShareBody(_Body):
    """`POST /api/share-stream`."""

    sessionId: str  # noqa: N815
    generation: int | None = Field(default=None, ge=1, le=2**31)
    expiresInS: int = Field(default=7 * 86_400, ge=60, le=30 * 86_400)  # noqa: N815


class UnshareBody(_Body):
    """`POST /api/unshare-stream`: one share, or all."""

    sessionId: str  # noqa: N815
    shareId: Short | None = None  # noqa: N815


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
        text = f"prompt, messages, toolResults, tools and system take {text_max_bytes} bytes in all."
        raise ApiError(413, "prompt_too_large", text)
    if isinstance(body, StartBody) and body.leaves_calls_open:
        text = "messages: with calls of tools, the last one must be the user's, or a tool's."
        raise ApiError(400, "invalid_conversation", text)
    return body


def of_its_form(value: Any, kind: type[Model]) -> Model:
    """A parsed body as any model. Raises ApiError: 400 or 422."""
    if not isinstance(value, dict):
        raise ApiError(400, "invalid_json", "The body must be a JSON object.")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        _refuse(error)


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
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise ApiError(400, "invalid_json", f"The body is not JSON: {reason}") from None


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


def _refuse(error: ValidationError) -> NoReturn:
    # The value itself is left out: it may be long, and it may be private.
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "string_pattern_mismatch":
        message = "It must hold no control characters, and more than white space"
    if not where:
        raise ApiError(400, "invalid_request", f"{message}.") from None
    if first["type"] == "extra_forbidden":
        raise ApiError(422, "unknown_field", f"{where[:100]}: there is no such field.", param=where[:100]) from None
    if first["type"] == "missing":
        raise ApiError(400, "invalid_request", f"{where} is missing.", param=where) from None
    raise ApiError(422, "invalid_field", f"{where[:100]}: {message}.", param=where[:100]) from None
