"""The calls that are no stream: what is sent, and what a session's page is. Pure."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict
from urllib.parse import quote, urlsplit

_KEY_BYTES = 18
_NAMES = {
    "session": "sessionId", "max_tokens": "maxTokens", "top_p": "topP", "tool_choice": "toolChoice",
    "parallel_tool_calls": "parallelToolCalls", "tool_results": "toolResults",
}  # fmt: skip


class Options(TypedDict, total=False):
    """What a start may bring beside its prompt; all of it may be left out."""

    messages: Sequence[Mapping[str, Any]]
    """A whole conversation in place of a prompt: `role` and `content` of each."""
    session: str
    """The conversation to go on with; a new one without it."""
    provider: str
    model: str
    system: str
    max_tokens: int
    temperature: float
    top_p: float
    stop: Sequence[str]
    replaces: int
    metadata: Mapping[str, str]
    """What comes back with every read, to whoever may read."""
    after: int
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, str]
    parallel_tool_calls: bool
    format: Mapping[str, Any]
    """`{"type": "json_schema", "name": …, "schema": …}`, or `{"type": "json_object"}`."""
    tool_results: Sequence[Mapping[str, str]]
    idempotency_key: str
    """One is made for each start, so that its retries are one generation; give one if the program may run again."""


class Generation(TypedDict):
    """One answer on a session's page."""

    generation: int
    attempt: int
    status: str
    """running, completed, stopped or failed."""
    prompt: str
    text: str
    reasoning: str
    provider: str
    model: str
    startedAt: str
    metadata: NotRequired[dict[str, str]]
    usage: NotRequired[Any]
    finishReason: NotRequired[str]
    code: NotRequired[str]
    error: NotRequired[str]
    retryable: NotRequired[bool]
    replaces: NotRequired[int]
    after: NotRequired[int]
    """The generation that it goes on from, where that is not the one before it."""
    continues: NotRequired[int]
    """The generation whose answer it goes on with, once tools have answered: its prompt is empty."""
    toolCalls: NotRequired[list[Mapping[str, str]]]
    toolResults: NotRequired[list[Mapping[str, str]]]


class Page(TypedDict):
    """A session as it is now, newest answer first."""

    sessionId: str
    generations: list[Generation]
    viewers: int
    lastEventId: str
    next: NotRequired[str]
    """Where the next page begins; none on the last one."""


class Call(NamedTuple):
    """One request. Every one of them may be sent again: a start bears a key."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


def start(prompt: str | None, options: Options) -> Call:
    """Begin an answer."""
    given: dict[str, Any] = {"prompt": prompt, **options}
    key = given.pop("idempotency_key", None) or secrets.token_urlsafe(_KEY_BYTES)
    body = {_NAMES.get(name, name): value for name, value in given.items() if value is not None}
    return Call("POST", "/api/generate-stream", body, headers={"Idempotency-Key": key})


def stop(session: str, generation: int | None) -> Call:
    """Stop what runs, or only that generation."""
    body = {"sessionId": session} | ({} if generation is None else {"generation": generation})
    return Call("POST", "/api/stop-stream", body)


def delete(session: str) -> Call:
    """Remove a session."""
    return Call("POST", "/api/delete-stream", {"sessionId": session})


def page(session: str, limit: int, before: str | None, share: str | None) -> Call:
    """Look at a session."""
    query = {"limit": str(limit), "before": before, "share": share}
    return Call(
        "GET",
        f"/api/sessions/{quote(session, safe='')}",
        query={name: value for name, value in query.items() if value is not None},
    )


def headers(token: str | None, more: Mapping[str, str] = {}) -> dict[str, str]:
    """The headers of a request. Raises ValueError for what is no token, before others quote it in an error."""
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise ValueError("the token holds characters that no token has")
    # A stream that is compressed on its way is held back by whoever compresses it.
    return {"Accept-Encoding": "identity", **more, **({"Authorization": f"Bearer {token}"} if token else {})}


def address(url: str) -> str:
    """Where the server is. Raises ValueError for what no server can be at."""
    parts = urlsplit(url)
    # Reading the port raises for one that is none.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"not an address of a server: {url!r}; it begins with http:// or https://")
    return url.rstrip("/")
