"""What a viewer asks for when it connects, and what the log says to it before the stream begins."""

import asyncio
import time
from typing import Any, Literal, NamedTuple, cast

from starlette.requests import HTTPConnection

from services.consume_stream import standing
from services.consume_stream.access import Access
from services.consume_stream.subscription import Follow
from shared import events, keys, position, tracing
from shared.http import ApiError, no_session
from shared.position import NONE, Position
from shared.wire import pack
from shared.wires import Wires

_POLL_S = 0.25
_DIGITS_MAX = 20

Ping = Literal["comment", "event"]


class Join(NamedTuple):
    """A session, the last entry that the client has, whether it wants this answer or all that follow, and what signs of
    life it hears.
    """

    session: str
    position: Position
    follow: Follow
    ping: Ping


def parse(request: HTTPConnection) -> Join:
    """Read the query and `Last-Event-ID`. Raises ApiError with 400."""
    query = request.query_params
    ping = query.get("ping", "comment")
    if ping not in ("comment", "event"):
        raise ApiError(400, "invalid_ping", "ping takes comment or event.")
    point = request.headers.get("last-event-id") or query.get("lastEventId") or "0"
    return Join(session_id(query.get("sessionId", "")), resume_point(point), followed(request), cast(Ping, ping))


def followed(request: HTTPConnection) -> Follow:
    """What `follow` asks for. Raises ApiError with 400."""
    follow = request.query_params.get("follow", "answer")
    if follow not in ("answer", "session"):
        raise ApiError(400, "invalid_follow", "follow takes answer or session.")
    return cast(Follow, follow)


def session_id(text: str) -> str:
    """A session id as it came. Raises ApiError with 400."""
    if not keys.is_session(text):
        raise ApiError(400, "invalid_session_id", "A session id has 8 to 64 letters, digits, _ and -.")
    return text


def resume_point(text: str) -> Position:
    """A resume point as it came. Raises ApiError with 400."""
    try:
        return position.parse(text)
    except ValueError as error:
        raise ApiError(400, "invalid_resume_point", f"{str(error).capitalize()}.") from None


def whole_number(request: HTTPConnection, name: str, least: int, most: int) -> int | None:
    """A number of the query; None where it brings none. Raises ApiError with 400, `invalid_<name>`."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and least <= int(text) <= most):
        message = f"{name} takes a whole number from {least} to {most}."
        raise ApiError(400, f"invalid_{name}", message, param=name)
    return int(text)


def link(wires: Wires, session: str) -> None:
    """Link the span of this viewer to the request by which the session's newest generation began, if it has told.

    Asked beside the first look at the log, and not waited for. Without traces nothing is asked.
    """
    span = tracing.current()
    if not span.recording:
        return

    def told(reply: Any) -> None:
        if isinstance(reply, bytes):
            span.link(reply.decode("latin-1"))

    wires.of(meta := keys.meta(session)).ask(pack("HGET", meta, "traceparent"), told)


async def look_at_link(wires: Wires, session: str, access: Access) -> None:
    """Raise ApiError with 404 for a link that leads nowhere any more.

    The server may say so: to wait in silence is for who could be the owner. And before the viewer takes a place, of
    which links have but so many: whose link was revoked could keep out the readers of all others.
    """
    if access.shared and not await standing.allowed(wires, session, access.right):
        raise no_session()


async def has_more(wires: Wires, join: Join, access: Access, patience_s: float) -> bool:
    """Whether there is, or will be, anything for this viewer; else it is answered with 204.

    Raises ApiError with 404 when there is no such log. A client that has seen some of it is answered so only after
    `patience_s`: its writer may be about to write again what Redis lost.
    """
    session, right = join.session, access.right
    if join.follow == "session" and access.generation is None:
        return True
    found = await standing.last(wires, session, right)
    patient_until = time.monotonic() + (patience_s if join.position != NONE else 0)
    while found is None and time.monotonic() < patient_until:
        if await standing.was_deleted(wires, session, right):
            break
        await asyncio.sleep(_POLL_S)
        found = await standing.last(wires, session, right)
    if found is None:
        raise no_session()
    if access.generation is not None:
        # Its end may lie in mid-log.
        found = await standing.at(wires, session, right, join.position)
    if found is None or not access.shows(found.fields):
        return True
    return not (found.id == join.position and events.is_terminal(found.fields))
