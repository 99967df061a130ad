"""Which events a load is made of. Pure."""

from dataclasses import dataclass
from itertools import chain

Events = dict[str, float]
"""How often each event happens, by its name in `costs`."""

_KEEPS_LIFE_EVERY_S = 15.0
_LOOKS_PER_S = 1.0
_PINGS_PER_S = 0.4
"""On the connection for nudges twice in a timeout of 5 s."""
_BEATS_AFTER_END = 2
"""While its writer makes sure for 3 s that Redis keeps the end."""
_SWEEPS_AT = 0.9
"""Of `REJOIN_SWEEP_S`, on average."""


@dataclass(frozen=True)
class Load:
    """Answers that run, and who follows them; the settings at their defaults."""

    sessions: float
    """That have an answer running."""
    viewers: float
    """Of each session."""
    per_s: float
    """Chunks per second of each."""
    listeners: float = 1.0
    """Consume processes in which each session has a viewer."""
    consume: float = 1.0
    """Consume processes."""
    generate: float = 1.0
    lease_s: float = 6.0
    sweep_s: float = 2.0
    recheck_s: float = 5.0


def running(load: Load, seconds: float) -> Events:
    """What so many seconds bring where each chunk leaves alone. Chunks that gather cost less: it is the upper bound."""
    chunks, beats = load.sessions * load.per_s * seconds, load.sessions * seconds / (load.lease_s / 3)
    return {
        "append": chunks,
        "chunk": chunks,
        "nudge": chunks * load.listeners,
        "read": chunks * load.viewers,
        "chunk read": chunks * load.viewers,
        "beat": beats,
        "renewal": beats,
    }


def turns(load: Load) -> Events:
    """The beginning and the end of one answer in each session, before viewers who are there."""
    viewers = load.sessions * load.viewers
    return {
        "start": load.sessions,
        "append": load.sessions,
        "end": load.sessions,
        "beat": _BEATS_AFTER_END * load.sessions,
        "nudge": 2 * load.sessions * load.listeners,
        "read": 2 * viewers,
        "started read": viewers,
        "end read": viewers,
    }


def idle(load: Load, viewers: float, seconds: float) -> Events:
    """What so many viewers and the processes bring by themselves."""
    return {
        "recheck": viewers * seconds / load.recheck_s,
        "look at Redis": _LOOKS_PER_S * seconds * (load.consume + load.generate),
        "ping": _PINGS_PER_S * seconds * (load.consume + load.generate),
        "sign of life": seconds / _KEEPS_LIFE_EVERY_S * load.consume,
        "seats renewed": seconds / _KEEPS_LIFE_EVERY_S * min(viewers, load.sessions * load.listeners),
        "look for leases": seconds / (_SWEEPS_AT * load.sweep_s) * load.generate,
    }


def first_answers(load: Load, chunks: int, seconds: float) -> Events:
    """Whole answers of so many chunks in sessions that are new, for which their viewers have waited in their seats."""
    viewers = load.sessions * load.viewers
    found = {"resume": viewers, "sweep": load.sessions * load.listeners}
    return total(running(load, chunks / load.per_s), turns(load), found, idle(load, viewers, seconds))


def visits(load: Load) -> Events:
    """Viewers who join answers that are over, read them in one go, and leave."""
    viewers = load.sessions * load.viewers
    logs = load.sessions * load.listeners
    each = dict.fromkeys(("seat", "resume", "read", "leave"), viewers)
    return each | dict.fromkeys(("listen", "sweep", "unlisten"), logs)


def total(*parts: Events) -> Events:
    """All of them together."""
    return {event: sum(part.get(event, 0.0) for part in parts) for event in dict.fromkeys(chain(*parts))}
