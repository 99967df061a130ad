"""What of an answer has been shown, which can't be taken back: what is to be shown when it begins anew. Pure."""

from typing import NamedTuple


class Showing(NamedTuple):
    """What to show next; `anew` tells that it is the beginning, and void what stood there so far."""

    text: str
    anew: bool = False


class Shown:
    """The text of one answer as far as its reader has it.

    An attempt that begins anew (and a log that is read again from its beginning) mostly says the same again: what
    the reader has is passed over for as long as it does.
    """

    def __init__(self, text: str = "") -> None:
        self._text = [text] if text else []
        self._held: list[str] | None = None

    @property
    def text(self) -> str:
        """All that has been shown and still holds."""
        return "".join(self._text)

    def begin(self) -> None:
        """The words begin from the first again."""
        self._held = [] if self._text else None

    def more(self, piece: str) -> Showing:
        """What to show of the next piece."""
        if self._held is None:
            self._text.append(piece)
            return Showing(piece)
        self._held.append(piece)
        said, had = "".join(self._held), self.text
        if had.startswith(said) and len(said) < len(had):
            return Showing("")
        return self._settle(said, had)

    def end(self) -> Showing:
        """What is left to show when there will be no more words."""
        if self._held is None:
            return Showing("")
        return self._settle("".join(self._held), self.text)

    def _settle(self, said: str, had: str) -> Showing:
        self._text, self._held = [said], None
        return Showing(said[len(had) :]) if said.startswith(had) else Showing(said, anew=True)
