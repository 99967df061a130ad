"""What can break, and how often each is drawn. Pure."""

import random
from dataclasses import dataclass
from typing import Literal

LAST_AT_S = 3.5
LAST_WHILE_ANSWERS_RUN_AT_S = 1.5

Kind = Literal[
    "generate kill -9",
    "generate SIGTERM",
    "generate paused",
    "generate outlived",
    "generate back in time",
    "consume kill -9",
    "consume SIGTERM",
    "consume paused",
    "redis kill -9",
    "redis loses its tail",
    "redis paused",
    "redis full",
    "clock set ahead",
    "clock set back",
    "failover ahead",
    "failover back",
    "wire cut",
    "wire cut after bytes",
    "wire held",
    "wire delayed",
    "replies lost",
    "wire refused",
    "nudges lost",
    "SCRIPT FLUSH",
]

TAIL: Kind = "redis loses its tail"
"""kill -9, and what Redis wrote in its last moment never reached the disk."""

NEEDS_ANSWERS: tuple[Kind, ...] = ("generate outlived", "generate back in time", TAIL)
"""They make no difference unless answers run."""

FORGETS_WITH_IT: tuple[Kind, ...] = (
    "generate kill -9",
    "generate SIGTERM",
    "generate paused",
    "generate outlived",
    "generate back in time",
    "clock set ahead",
    "clock set back",
    "failover ahead",
    "failover back",
    "wire cut",
    "wire cut after bytes",
    "wire held",
    "wire delayed",
    "replies lost",
    "wire refused",
)
"""Who wrote it last must be there, and must reach Redis, to write it again before its lease is over for good."""

WEIGHTS: dict[Kind, float] = {
    "generate kill -9": 2,
    "generate SIGTERM": 1.5,
    "generate paused": 2,
    "generate outlived": 4,
    "generate back in time": 4,
    "consume kill -9": 1,
    "consume SIGTERM": 1,
    "consume paused": 1,
    "redis kill -9": 2,
    TAIL: 0,
    "redis paused": 1.5,
    "redis full": 2,
    "clock set ahead": 0.5,
    "clock set back": 0.5,
    "failover ahead": 0.5,
    "failover back": 0.5,
    "wire cut": 2,
    "wire cut after bytes": 3,
    "wire held": 2,
    "wire delayed": 2,
    "replies lost": 2,
    "wire refused": 2,
    "nudges lost": 2,
    "SCRIPT FLUSH": 1,
}

LONGEST_S: dict[Kind, float] = {
    "generate paused": 2.5,
    "generate back in time": 0.7,
    "redis paused": 2.0,
    "redis kill -9": 1.0,
    TAIL: 1.0,
    "consume paused": 1.5,
}


@dataclass(frozen=True)
class Breakage:
    """One fault: what, when, to which process, for how long."""

    kind: Kind
    at_s: float
    place: float
    """Which process or wire, as a part of all there are: the house knows how many."""
    seconds: float
    count: int
    """Bytes, where the kind counts bytes: until the cut, or of room that a full Redis has left."""
    direction: Literal["requests", "replies"]


def draw(dice: random.Random, number: int, *, tail: bool) -> list[Breakage]:
    """So many faults in the order of time; with `tail`, one more, and none that can't be cured after it."""
    weights = {kind: 0 if tail and kind in FORGETS_WITH_IT else weight for kind, weight in WEIGHTS.items()}
    kinds = [*dice.choices(list(weights), list(weights.values()), k=number), *[TAIL] * tail]
    return sorted((_one(dice, kind) for kind in kinds), key=lambda breakage: breakage.at_s)


def _one(dice: random.Random, kind: Kind) -> Breakage:
    last_at_s = LAST_WHILE_ANSWERS_RUN_AT_S if kind in NEEDS_ANSWERS else LAST_AT_S
    return Breakage(
        kind,
        round(dice.uniform(0.2, last_at_s), 3),
        dice.random(),
        round(dice.uniform(0.2, LONGEST_S.get(kind, 1.8)), 3),
        int(dice.paretovariate(0.3)) % 20_000,
        dice.choice(("requests", "replies")),
    )
