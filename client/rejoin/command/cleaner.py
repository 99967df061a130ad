"""What a terminal may be shown: a model's words, and a server's, without what would command the terminal. Pure."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Those that turn the direction of writing too: with them a line reads as another one."""
_SPACES = re.compile(r"\s+")
_PARAMETERS_MAX = 64


class Cleaner:
    """Cleans a text that comes in pieces; an escape sequence may be cut anywhere.

    Of a sequence that colours or moves, its parameters go too; of any other only what makes it one: so that nobody can
    hide text in it.
    """

    def __init__(self) -> None:
        self._state = "text"
        self._left = 0

    def clean(self, piece: str) -> str:
        """The next piece, harmless."""
        if self._state == "text" and "\x1b" not in piece and "\x9b" not in piece:
            return _CONTROLS.sub("", piece)
        return _CONTROLS.sub("", "".join(filter(self._shown, piece)))

    def _shown(self, character: str) -> bool:
        if character in "\x1b\x9b":
            self._begin("escape" if character == "\x1b" else "parameters")
            return False
        if self._state == "escape":
            self._begin("parameters" if character == "[" else "text")
            return character not in "[]PX^_\\"
        if self._state == "parameters":
            self._left -= 1
            if "\x20" <= character <= "\x3f" and self._left:
                return False
            self._state = "text"
            return not "\x40" <= character <= "\x7e"
        return True

    def _begin(self, state: str) -> None:
        self._state, self._left = state, _PARAMETERS_MAX


def line(text: str) -> str:
    """A text as one harmless line."""
    return Cleaner().clean(_SPACES.sub(" ", text)).strip()
