"""What can go wrong, by what a caller does about it. Pure."""

import json
from collections.abc import Mapping
from typing import Any

_SHOWN_CHARACTERS = 300


class RejoinError(Exception):
    """All that this client raises of itself, apart from ValueError for arguments that can't be."""


class OutOfReach(RejoinError):
    """The server was not reached, or brought nothing new, for too long by the limits; `__cause__` tells why."""


class AnswerGone(RejoinError):
    """The answer that was followed is no longer in the log, which was lost or begun anew."""


class AnswerFailed(RejoinError):
    """The answer ended as failed; `text` is what there was of it."""

    def __init__(self, code: str, message: str, *, retryable: bool, text: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable
        self.text = text


class Refused(RejoinError):
    """The server said no: an HTTP status, its stable code, its message for people, and what else it told."""

    def __init__(self, status: int, code: str, message: str, facts: Mapping[str, Any], retry_after_s: float) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.facts = facts
        """Further members of the body: of `generation_running`, the generation."""
        self.retry_after_s = retry_after_s
        """What `Retry-After` says, in seconds; 0 without one."""

    @property
    def passes(self) -> bool:
        """Whether it is no fault of the request, and time may mend it."""
        return self.status >= 500 or self.status == 408


class Unauthorized(Refused):
    """There is no token, or not a good one, or the right to read is over."""


class NotFound(Refused):
    """There is no such session, or it is another's."""


class Conflict(Refused):
    """Something stands in the way: mostly an answer that is still being written in this session."""


class TooMany(Refused):
    """A limit is reached: of starts, answers, viewers or tokens."""


_KINDS: Mapping[int, type[Refused]] = {401: Unauthorized, 404: NotFound, 409: Conflict, 429: TooMany}


def refused(status: int, body: bytes, retry_after: str | None = None) -> Refused:
    """A response that is not what was asked for. A body that is not the server's own (a proxy's) is quoted."""
    try:
        members = dict(json.loads(body))
        said = dict(members.pop("error"))
        code, message = str(said["code"]), str(said["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        members, code = {}, f"http_{status}"
        message = body[:_SHOWN_CHARACTERS].decode("utf-8", "replace").strip() or f"The server answered with {status}."
    after_s = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
    return _KINDS.get(status, Refused)(status, code, message, members, after_s)


def over(code: str) -> Unauthorized:
    """The right to read is over, as a stream tells it in its last frame."""
    return Unauthorized(401, code, "The right to read this session is over.", {}, 0.0)
