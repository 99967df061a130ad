"""A plan: what one seed asks, who watches, and what breaks when. Pure: the same seed draws the same plan."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.chaos import breakages
from tests.chaos.breakages import Breakage
from tests.fakes.script import Script

PIECE_S = 0.012
LONG_IN = 0.3
"""The part of the stories whose answers are more than a connection holds: only there a viewer can be too slow."""

_LONG_PIECE = 2000
POSTED_WITHIN_S = 1.0
BREAKAGES = (5, 9)
BREAKAGES_BESIDE_TAIL = (1, 4)
"""Few: after a second crash of Redis nobody can tell any more what the first has done to its readers."""

TAIL_IN = 0.25
"""The part of the seeds in which Redis forgets its last moment."""

Manner = Literal["early", "late", "slow", "hopping", "vanishing", "trickle", "stuck"]


@dataclass(frozen=True)
class Watch:
    """One viewer: how it behaves, when it comes, and how many frames it takes before it goes or hops."""

    manner: Manner
    at_s: float
    follow: Literal["answer", "session"]
    frames: int


@dataclass(frozen=True)
class Turn:
    """One prompt of a session, and what its vendor does."""

    prompt: str
    provider: str
    script: Script
    breaks: bool
    """Whether the vendor breaks the answer, so that it may end as failed."""

    @property
    def text(self) -> str:
        """All the words of the whole answer."""
        return "".join(self.script.text)

    @property
    def thinking(self) -> str:
        """All the thinking of the whole answer."""
        return "".join(self.script.thinking)


@dataclass(frozen=True)
class Story:
    """One session: its turns, the hands on its buttons, its viewers."""

    session: str
    turns: tuple[Turn, ...]
    at_s: float
    posts: int
    """How many clients send the first prompt at once, with one key."""
    stops_at_s: tuple[float, ...]
    """When somebody presses stop, after the answer has begun."""
    deleted_at_s: float | None
    watches: tuple[Watch, ...]


@dataclass(frozen=True)
class Plan:
    """All of one seed."""

    seed: int
    stories: tuple[Story, ...]
    breakages: tuple[Breakage, ...]


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    dice = random.Random(seed)
    tail = dice.random() < TAIL_IN
    stories = [_story(dice, f"chaos-{seed:05d}-{number}", tail=tail) for number in range(dice.randint(4, 6))]
    number = BREAKAGES_BESIDE_TAIL if tail else BREAKAGES
    return Plan(seed, tuple(stories), tuple(breakages.draw(dice, dice.randint(*number), tail=tail)))


def _story(dice: random.Random, session: str, *, tail: bool) -> Story:
    # A Redis that loses its tail may lose a delete, which nobody is left to repeat.
    fate = dice.choices(["goes on", "stopped", "deleted", "asked again"], [5, 2, 0 if tail else 1, 2])[0]
    turns = 2 if fate == "asked again" else 1
    long = dice.random() < LONG_IN
    pressed = sorted(dice.uniform(0, 3) for _ in range(dice.randint(1, 3))) if fate == "stopped" else []
    return Story(
        session,
        tuple(_turn(dice, f"{session}-{number + 1}", long=long) for number in range(turns)),
        dice.uniform(0, POSTED_WITHIN_S),
        dice.choice([1, 1, 2]),
        tuple(pressed),
        dice.uniform(0.2, 3) if fate == "deleted" else None,
        tuple(_watches(dice, long=long)),
    )


def _turn(dice: random.Random, prompt: str, *, long: bool) -> Turn:
    provider = dice.choice(["openai", "anthropic", "gemini"])
    more = "." * _LONG_PIECE if long else ""
    text = tuple(f"{prompt[-3:]} wörd {number} 🌊 {more}" for number in range(dice.randint(60, 240)))
    # Gemini's compatible endpoint gives no thinking.
    thoughts = dice.choice([0, 0, 20]) if provider != "gemini" else 0
    thinking = tuple(f"thought {number}, " for number in range(thoughts))
    script = Script(text=text, thinking=thinking, delay_s=PIECE_S)
    flaw = dice.choices(["", "cut", "stall", "error", "refused once", "refused", "slow"], [8, 1, 1, 1, 1, 1, 1])[0]
    return Turn(prompt, provider, _flawed(dice, script, flaw), flaw in ("cut", "stall", "error", "refused"))


def _flawed(dice: random.Random, script: Script, flaw: str) -> Script:
    after = dice.randint(0, len(script.text) // 2)
    given: dict[str, dict[str, object]] = {
        "": {},
        "cut": {"cut_at": dice.randint(1, 8000), "reset": dice.random() < 0.5},
        "stall": {"stall_after": dice.choice([-1, after])},
        "error": {"error": "overloaded_error", "error_after": after},
        "refused once": {"status": dice.choice([429, 500, 529]), "times": 1},
        "refused": {"status": dice.choice([401, 429, 500])},
        "slow": {"delay_s": 2 * PIECE_S},
    }
    return Script(**{**vars(script), **given[flaw]})


def _watches(dice: random.Random, *, long: bool) -> Iterator[Watch]:
    yield Watch("early", 0, "session", 0)
    for _ in range(dice.randint(2, 4)):
        manner = dice.choice(("early", "late", "slow", "hopping", "vanishing"))
        at_s = 0.0 if manner == "early" else dice.uniform(0.2, 4)
        # Who asks for the answer before there is one gets a 404, by contract.
        follow = "session" if manner == "early" else dice.choice(("answer", "answer", "session"))
        yield Watch(manner, at_s, follow, dice.randint(1, 12))  # type: ignore[arg-type]
    if long:
        yield from (Watch("stuck", dice.uniform(0.2, 4), "answer", 0) for _ in range(dice.randint(1, 3)))
        yield Watch("trickle", dice.uniform(0.2, 4), dice.choice(("answer", "session")), 0)
