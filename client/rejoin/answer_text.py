"""The words of an answer, folded: those of its newest attempt alone. Pure."""

from rejoin.errors import AnswerFailed
from rejoin.events import AnyEvent, Failed, Reset, Started, Words


class AnswerText:
    """What is left of all events that were taken: the text of the newest answer."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._failed: Failed | None = None

    def take(self, event: AnyEvent) -> None:
        """Take one event."""
        if isinstance(event, Started | Reset):
            self._words, self._failed = [], None
        elif isinstance(event, Words):
            self._words.append(event.text)
        elif isinstance(event, Failed):
            self._failed = event

    def whole(self) -> str:
        """The text. Raises AnswerFailed if that is how it ended."""
        text = "".join(self._words)
        if self._failed:
            failed = self._failed
            raise AnswerFailed(failed.code, failed.error, retryable=failed.retryable, text=text)
        return text
