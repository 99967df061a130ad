"""Quotas kept in Redis, so that replicas agree: starts in a minute, seats, tokens in a day, of one subject at a time.

All have an end of their own by the server's clock, so a process that dies leaves nothing behind for long.
"""

import math
from pathlib import Path
from typing import NamedTuple

from shared import keys
from shared.redis_facts import Command
from shared.script import Script
from shared.wires import Wires

_LUA = Path(__file__).parent / "lua"

BEGIN = Script(_LUA / "begin.lua")
LEAVE = Script(_LUA / "leave.lua")
SEAT = Script(_LUA / "seat.lua")
RENEW = Script(_LUA / "renew.lua")

_SOON_S = 1
"""When to ask again for a seat: nobody knows when one will be free."""


class Allowance(NamedTuple):
    """What one subject may have of answers; 0 for no limit."""

    starts: int = 0
    """In a minute."""
    running: int = 0
    """At a time."""
    tokens: int = 0
    """In a day."""


class Taken(NamedTuple):
    """There was room. The score is that of the seat, empty without one."""

    score: str
    before: str
    """The score of the seat that the session had before; empty for none."""


class Refused(NamedTuple):
    """Nothing was taken, because a limit is reached: `starts`, `running` or `tokens`."""

    limit: str
    wait_s: int
    """Until there may be room; whole seconds, at least one."""


def answers(subject: str) -> list[str]:
    """The keys of a subject's answers, as the scripts take them. They lie in one slot."""
    return [keys.quota(subject, what) for what in ("starts", "running", "tokens")]


async def begin(
    wires: Wires, subject: str, allowance: Allowance, start: str, session: str, held_ms: int
) -> Taken | Refused:
    """Count one more answer of a subject and give it a seat, or take nothing. Safe to send again. Raises RedisError."""
    named = answers(subject)
    verdict, *more = await BEGIN(wires.of(named[0]), named, (start, session, *allowance, held_ms))
    if verdict == b"taken":
        return Taken(more[0].decode(), more[1].decode())
    return Refused(verdict.decode(), max(_SOON_S, math.ceil(more[0] / 1000)))


def probes(session: str) -> list[Command]:
    """The rights that all this needs in Redis, as commands that find nothing to do."""
    seats, tokens = (keys.quota(keys.subject("session", session), what) for what in ("viewers", "tokens"))
    return [
        ("ZADD", seats, "XX", 0, session),
        ("ZCARD", seats),
        ("ZRANGE", seats, 0, 0),
        ("ZREM", seats, session),
        ("ZREMRANGEBYSCORE", seats, 0, 0),
        ("ZSCORE", seats, session),
        ("PEXPIRE", seats, 1000),
        ("PTTL", tokens),
        ("EXPIREAT", tokens, 1),
        ("GET", tokens),
        ("INCRBY", tokens, "no number"),
    ]
