"""Findings: what an examination says, one a check, each with the lines that mend what is wrong. Pure."""

from typing import Any, Literal, NamedTuple

State = Literal["ok", "warning", "problem", "unchecked"]


class Mend(NamedTuple):
    """A line that mends something, and where it belongs: a file, a program, a product."""

    where: str
    line: str


class Finding(NamedTuple):
    """One check: how it stands, what was seen, with figures, and what mends it."""

    check: str
    state: State
    seen: str
    mends: tuple[Mend, ...] = ()


def as_json(finding: Finding) -> dict[str, Any]:
    """As a report tells it."""
    return finding._asdict() | {"mends": [mend._asdict() for mend in finding.mends]}


def from_json(told: dict[str, Any]) -> Finding:
    """A finding that a report tells. Raises KeyError and TypeError for what is none."""
    mends = tuple(Mend(str(mend["where"]), str(mend["line"])) for mend in told["mends"])
    return Finding(str(told["check"]), told["state"], str(told["seen"]), mends)
