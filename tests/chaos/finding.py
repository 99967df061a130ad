"""A finding: one way in which a seed went against the contract."""

from typing import Literal, NamedTuple

Kind = Literal["lost", "doubled", "hung", "wrong", "left over", "broken"]


class Finding(NamedTuple):
    """What was found, in which session, in words."""

    kind: Kind
    session: str
    text: str


def difference(session: str, what: str, expected: str, got: str) -> Finding:
    """Two texts that should be the same: words are lost, or there are too many, or they are others."""
    kind: Kind = "lost" if len(got) < len(expected) else "doubled" if len(got) > len(expected) else "wrong"
    same = next((at for at, pair in enumerate(zip(expected, got, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(expected), len(got)) if same is None else same
    around = slice(max(0, at - 20), at + 40)
    text = f"{what}: {len(got)} characters of {len(expected)}; from {at}: {got[around]!r}, not {expected[around]!r}"
    return Finding(kind, session, text)
