"""Ids of responses: a session and the number of a generation, so that nothing has to be kept of them."""

import re
from typing import NamedTuple

from shared import keys

_RESPONSE = re.compile(rf"resp_({keys.SESSION})_([1-9][0-9]{{0,8}})", re.ASCII)


class ResponseId(NamedTuple):
    """One generation of a session, as a response."""

    session: str
    generation: int

    def __str__(self) -> str:
        return f"resp_{self.session}_{self.generation}"

    def item(self, kind: str, index: int) -> str:
        """The id of an item of its output: `kind` is msg, rs or fc. Unlike all others, in earlier attempts too."""
        return f"{kind}_{self.session}_{self.generation}_{index}"

    def input_item(self, kind: str, index: int) -> str:
        """The id of an item that it was asked with: `kind` is msg or fco."""
        return f"{kind}_{self.session}_{self.generation}_in_{index}"


def parse(text: str) -> ResponseId | None:
    """A response's id as it came; None for what is none. A session's id may hold _ itself."""
    match = _RESPONSE.fullmatch(text)
    return ResponseId(match[1], int(match[2])) if match else None
