"""Plain text: the words of one answer and nothing else, for `curl -N` and whoever can read."""

import re

from starlette.requests import HTTPConnection

from services.consume_stream.dialects.telling import form_of
from shared import events
from shared.events import Entry

FORM = form_of({}, b"", "text/plain")
"""Without a sign of life: there is no character that would not be read as a part of the answer."""

_WEIGHT = re.compile(r";\s*q=([01](?:\.\d{0,3})?)\s*$")


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
    """Whether its client would rather have plain text than Server-Sent Events."""
    accepted = ",".join(request.headers.getlist("accept")).lower()
    return _weight(accepted, "text/plain") > _weight(accepted, "text/event-stream")


def _weight(accepted: str, media_type: str) -> float:
    for each in accepted.split(","):
        if each.split(";")[0].strip() == media_type:
            named = _WEIGHT.search(each)
            return float(named[1]) if named else 1.0
    return 0.0
