"""Plain text: the words of one answer and nothing else, for `curl -N` and whoever can read."""

import re
from collections.abc import Mapping

from starlette.requests import HTTPConnection

from services.consume_stream.dialects.telling import form_of
from shared import events
from shared.events import Entry

FORM = form_of({}, b"", "text/plain")
"""Without a sign of life: there is no character that would not be read as a part of the answer."""

_WEIGHT = re.compile(r"q\s*=\s*([01](?:\.\d{0,3})?)")


class Plain:
    """The fold: text of chunks as it stands.

    An answer that failed has no clean end either: the cut is the only word for it that plain text has.
    """

    def __init__(self) -> None:
        self.over = self.void = self._said = False

    def take(self, entries: list[Entry]) -> bytes:
        """The words of some more entries."""
        words = []
        for entry in entries:
            if events.is_started(entry.fields) and self._said:
                self.void = True
                break
            if events.is_terminal(entry.fields):
                self.over = entry.fields["status"] != "failed"
                self.void = not self.over
            elif entry.fields.get("type") == "chunk":
                words.append(entry.fields.get("content", ""))
                self._said = True
        return "".join(words).encode("utf-8", "replace")


def asked_for(request: HTTPConnection) -> bool:
    """Whether its client would rather have plain text than Server-Sent Events. Who takes both alike gets these.

    Libraries that never thought of a stream say `text/plain, */*` of themselves.
    """
    ranges = ",".join(request.headers.getlist("accept")).lower().split(",")
    weights = dict(map(_weighed, ranges))
    return _weight(weights, "text/plain") > _weight(weights, "text/event-stream")


def _weighed(media_range: str) -> tuple[str, float]:
    named, *parameters = (part.strip() for part in media_range.split(";"))
    weighed = [float(found[1]) for found in map(_WEIGHT.fullmatch, parameters) if found]
    return named, weighed[0] if weighed else 1.0


def _weight(weights: Mapping[str, float], media_type: str) -> float:
    # The range that is nearest to it, RFC 9110, 12.5.1.
    return next((weights[named] for named in (media_type, "text/*", "*/*") if named in weights), 0.0)
