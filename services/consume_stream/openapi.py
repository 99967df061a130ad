"""What consume-stream tells of itself: its routes, what they show and every way in which they refuse."""

from typing import Any

from services.consume_stream.dialects import chat_paths, completions_paths, responses_paths
from services.consume_stream.frame_schemas import FRAMES, POLL, SESSION_PAGE
from shared.openapi import (
    ASKED,
    AWAY,
    FROM_ELSEWHERE,
    GENERATION,
    KNOWN,
    NO_SESSION,
    POSITION,
    SESSION_ID,
    Refusals,
    Schema,
    answer,
    document,
    operation,
    parameter,
    ref,
)

SERVICE = "consume-stream"

_READ: Refusals = {
    400: ("invalid_session_id", "invalid_resume_point"),
    401: ("share_invalid", "share_expired"),
}
"""Of whoever reads a session; the owner, or who was given a link to it."""
_SHOWN = (_READ, ASKED, FROM_ELSEWHERE, NO_SESSION, AWAY)
_SHARE = parameter("share", {"type": "string"}, "The token of a link: who brings it reads, and needs to be nobody.")
_FOLLOW = parameter(
    "follow",
    {"enum": ["answer", "session"], "default": "answer"},
    "answer: this answer, then the end. session: all that follow, also in a session that does not exist yet.",
)
_CONSUME: Refusals = {
    400: ("invalid_follow", "invalid_ping", "invalid_generation", "bad_handshake"),
    409: ("resume_point_void",),
    429: ("too_many_viewers_of_session", "too_many_viewers_of_owner"),
    503: ("draining", "too_many_viewers"),
}
_POLL: Refusals = {
    400: ("invalid_follow", "invalid_wait"),
    429: ("too_many_viewers_of_session", "too_many_viewers_of_owner"),
    503: ("draining", "too_many_viewers"),
}
_SOCKET = (
    'A WebSocket, if one was asked for: each event is a text message, {"id", "data"}; a reset and the end of a right '
    'have no id. With ping=event there is {"ping": seconds} now and again. A client may say ping, and is told '
    '{"pong": true}; whatever else it says closes the connection. Closed with 1000 at the end of the answer alone. '
    "1012: come back, and so where it broke off without a code. 1011: the log is gone. 1008: the right is over, or "
    "something was said that is not to be said, or too much at once. 1003: it was no text; 1009: it had more than "
    "4096 bytes."
)
_BEACONS: Refusals = {
    400: ("invalid_seconds", "invalid_every"),
    429: ("too_many_beacons", "too_many_viewers_of_session"),
    503: ("draining", "too_many_viewers"),
}
_SESSIONS: Refusals = {400: ("invalid_limit",)}
_SCHEMAS = {**FRAMES, "Session": SESSION_PAGE, "Poll": POLL}


def described(*, doctor: bool) -> Schema:
    """The description, with the routes that are there only for the doctor or without them."""
    paths = {
        "/api/consume-stream": {"get": _consume()},
        "/api/read-stream": {"get": _read()},
        "/api/sessions/{session}": {"get": _session()},
    }
    paths |= chat_paths.paths(*_SHOWN, security=KNOWN)
    paths |= completions_paths.paths(*_SHOWN, security=KNOWN)
    paths |= responses_paths.paths(*_SHOWN, security=KNOWN)
    if doctor:
        reported = {"200": answer("What it sees of Redis.", {"type": "object"})}
        paths["/api/consume-stream/doctor"] = {"get": operation("doctor", "For the doctor.", reported, AWAY)}
        paths["/api/consume-stream/doctor/beacons"] = {"get": _beacons()}
    return document(SERVICE, "Shows the logs of sessions to their viewers.", paths, _SCHEMAS)


def _consume() -> Schema:
    asked = [
        parameter("sessionId", SESSION_ID, "Whose log.", required=True),
        _FOLLOW,
        parameter("lastEventId", {**POSITION, "default": "0"}, "The last entry that the client has: a resume point."),
        parameter("Last-Event-ID", POSITION, "The same, as EventSource sends it; it comes first.", "header"),
        parameter("generation", GENERATION, "In plain text: the one to tell, else the newest."),
        parameter("ping", {"enum": ["comment", "event"], "default": "comment"}, "What signs of life it hears."),
        _SHARE,
    ]
    told = _stream("Entries from the resume point on, as they come; in plain text the words of one answer.", "Frame")
    told["content"]["text/plain"] = {"schema": {"type": "string"}}
    responses = {
        "101": answer(_SOCKET),
        "200": told,
        "204": answer("The resume point is the end of the answer: there will be no more."),
    }
    return operation("consume", "Follow a session.", responses, *_SHOWN, _CONSUME, parameters=asked, security=KNOWN)


def _read() -> Schema:
    wait = "How long to wait, in seconds, where there is nothing yet."
    asked = [
        parameter("sessionId", SESSION_ID, "Whose log.", required=True),
        parameter(
            "after", {**POSITION, "default": "0"}, "The last entry that the client has: `next` of the last poll."
        ),
        parameter("wait", {"type": "number", "minimum": 0, "maximum": 30, "default": 0}, wait),
        _FOLLOW,
        _SHARE,
    ]
    told = "The entries after that one, some at a time, or none: also where the log has not, or not yet again, so many."
    responses = {"200": answer(told, ref("Poll"))}
    return operation("read", "Read a session by polls.", responses, *_SHOWN, _POLL, parameters=asked, security=KNOWN)


def _session() -> Schema:
    asked = [
        parameter("session", SESSION_ID, "Which.", "path", required=True),
        parameter("before", POSITION, "Only generations that began before this entry: `next` of the last page."),
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 20}, "Generations of a page."),
        _SHARE,
    ]
    responses = {"200": answer("Its generations, newest first.", ref("Session"))}
    return operation("session", "A session as a page.", responses, *_SHOWN, _SESSIONS, parameters=asked, security=KNOWN)


def _beacons() -> Schema:
    seconds = {"type": "number", "minimum": 0.05, "maximum": 120}
    asked = [
        parameter("seconds", seconds, "How long.", required=True),
        parameter("every", {**seconds, "maximum": 120}, "How far apart: 200 of them at most.", required=True),
    ]
    responses = {"200": _stream("Each tells when it was sent.", "Beacon")}
    return operation("beacons", "A stream that examines the way.", responses, _BEACONS, parameters=asked)


def _stream(description: str, frame: str) -> Schema:
    """Server-Sent Events. OpenAPI has a word for what they consist of from 3.2 on: `itemSchema`."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": ref(frame)}
    event = {"event": {"const": "ping", "description": "With ping=event: data is the seconds between two of them."}}
    properties = {"id": POSITION, "retry": {"type": "integer", "description": "Milliseconds."}, "data": data, **event}
    item: dict[str, Any] = {"type": "object", "required": ["data"], "properties": properties}
    told = answer(description)
    # Without a `schema`, which would be of the whole text: readers take it for that of each event.
    told["content"] = {"text/event-stream": {"x-itemSchema": item}}
    return told
