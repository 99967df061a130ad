"""Positions in a log: `<ms>-<seq>`, compared as two numbers."""

import re
from typing import NamedTuple

_ID = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
_LARGEST = 2**64 - 1


class Position(NamedTuple):
    """The id of an entry: when its attempt began, in ms since 1970, and its place in that attempt."""

    ms: int
    seq: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"


NONE = Position(0, 0)
"""Before the first entry. Redis never gives out the id 0-0."""


def parse(text: str) -> Position:
    """Read `<ms>-<seq>`, or `0` for none. Raises ValueError for anything else, also past 64 bits."""
    if text == "0":
        return NONE
    match = _ID.fullmatch(text)
    if match is None:
        raise ValueError("a resume point is an entry's id, <milliseconds>-<number>, or 0")
    position = Position(int(match[1]), int(match[2]))
    if max(position) > _LARGEST:
        raise ValueError("a resume point has two numbers of 64 bits at most")
    return position
