"""What each event costs: commands, round trips, bytes. Read from the code of the services. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from shared import keys
from tests.bench.model.sizes import (
    ARRAY,
    DIGEST,
    GROUP,
    INSTANCE,
    INTEGER,
    MS,
    REQUEST_ID,
    SCORE,
    SEQ,
    SHA,
    TOKEN,
    Text,
    appended,
    frame,
    read,
    size,
    string,
)  # fmt: skip

HISTORY_PAGE = 200
"""Entries that one step of reading the history brings."""

_LOOK, _LEASE = "hmget xrevrange time", "expire hset expire expire"


class Cost(NamedTuple):
    """Of one event. Names of commands are as in `INFO commandstats`, one for each call, parted by spaces."""

    sent: str = ""
    inside: str = ""
    """Run by the script that was sent; Redis counts these too."""
    trips: int = 0
    """Round trips that somebody waits for, one after the other; what leaves in one write is one."""
    into: int = 0
    """Bytes into Redis."""
    out: int = 0
    """Bytes out of Redis."""
    shown: int = 0
    """Bytes to viewers."""


class Traffic(NamedTuple):
    """Bytes, as in Cost."""

    into: float
    out: float
    shown: float


def costs(text: Text) -> dict[str, Cost]:
    """Each event by its name."""
    return _writing(text) | _joining(text) | _reading(text) | _of_processes()


def commands(events: Mapping[str, float], each: Mapping[str, Cost]) -> "Counter[str]":
    """How often each command runs for so many events, those inside of scripts too."""
    found: Counter[str] = Counter()
    for event, times in events.items():
        for name in f"{each[event].sent} {each[event].inside}".split():
            found[name] += times  # type: ignore[assignment]  # an average need not be whole
    return found


def traffic(events: Mapping[str, float], each: Mapping[str, Cost]) -> Traffic:
    """The bytes of so many events."""
    found = [(each[event], times) for event, times in events.items()]
    into, out = sum(cost.into * times for cost, times in found), sum(cost.out * times for cost, times in found)
    return Traffic(into, out, sum(cost.shown * times for cost, times in found))


def _writing(text: Text) -> dict[str, Cost]:
    log, meta = keys.log(text.session), keys.meta(text.session)
    entered = size("ZADD", keys.RUNNING, SCORE, text.session)
    told = [part for pair in text.told.items() for part in pair]
    request = '{"prompt":,"provider":"openai","model":"bench"}' + text.prompt
    begun = size("EVALSHA", SHA, 2, log, meta, TOKEN, INSTANCE, 6000, 86400, "PUBLISH", 200, "", DIGEST, request, "")
    begun += sum(map(string, ("", REQUEST_ID, *[""] * 6, *told)))
    brought = size("HMGET", meta, "messages", "messagesGeneration")
    earlier = size("XREVRANGE", log, f"({MS}-0", "-", "COUNT", HISTORY_PAGE)
    beat = size("EVALSHA", SHA, 2, log, meta, MS, TOKEN, SEQ, 6000, 86400, "PUBLISH", "", "", 0)
    ok = ARRAY + string("ok") + len(f":{SEQ}\r\n") + INTEGER + string(MS)
    leaving = size("EVALSHA", SHA, 1, keys.RUNNING, text.session, SCORE)
    return {
        "start": Cost(
            "zadd evalsha", f"{_LOOK} hset hdel xadd expire expire publish", 1,
            entered + begun, INTEGER + size("started", "1", MS),
        ),
        "history": Cost("hmget", "", 1, brought, len("*2\r\n$-1\r\n$-1\r\n")),
        "history page": Cost("xrevrange", "", 1, earlier, HISTORY_PAGE * read(text.chunk)),
        "append": Cost("evalsha", f"{_LOOK} {_LEASE} publish", 1, beat, ok),
        "chunk": Cost("", "xadd", 0, appended(text.chunk)),
        "end": Cost("evalsha", "xadd hset zscore zrem", 1, leaving + appended(text.end) + len("completed"), INTEGER),
        "beat": Cost("evalsha", f"{_LOOK} {_LEASE}", 1, beat, ok),
        "renewal": Cost("zadd", "", 1, entered, INTEGER),
    }  # fmt: skip


def _joining(text: Text) -> dict[str, Cost]:
    log, at = keys.log(text.session), f"{MS}-{SEQ}"
    made, destroyed = size("XGROUP", "CREATE", log, GROUP, at), size("XGROUP", "DESTROY", log, GROUP)
    found = size("XRANGE", log, at, at, "COUNT", 1) + size("XREVRANGE", log, "+", "-", "COUNT", 1)
    # At position 0 the first of the two finds nothing.
    replies = len("+OK\r\n") + len("*0\r\n") + ARRAY + read(text.started)
    group = size("name", GROUP, "consumers", "pending", "last-delivered-id", at) + 2 * INTEGER
    seats, viewer = keys.quota(keys.subject("session", text.session), "viewers"), f"{INSTANCE}-1000"
    seated = size("EVALSHA", SHA, 1, seats, viewer, 500, 60_000)
    return {
        "seat": Cost("evalsha", "time zremrangebyscore zremrangebyscore zcard zadd pexpire", 1, seated, INTEGER),
        "listen": Cost("subscribe", "", 1, size("SUBSCRIBE", log), size("subscribe", log) + INTEGER),
        "resume": Cost("xgroup xrange xrevrange", "", 1, made + found, replies),
        "sweep": Cost("xinfo", "", 0, size("XINFO", "GROUPS", log), ARRAY + group),
        "leave": Cost("xgroup zrem", "", 0, destroyed + size("ZREM", seats, viewer), 2 * INTEGER),
        "unlisten": Cost("unsubscribe", "", 0, size("UNSUBSCRIBE", log), size("unsubscribe", log) + INTEGER),
    }


def _reading(text: Text) -> dict[str, Cost]:
    log = keys.log(text.session)
    asked = size("XREADGROUP", "GROUP", GROUP, "viewer", "COUNT", 16, "NOACK", "STREAMS", log, ">")
    return {
        "nudge": Cost(out=size("message", log, "")),
        "read": Cost("xreadgroup", "", 1, asked, 3 * ARRAY + string(log)),
        "chunk read": Cost(out=read(text.chunk), shown=frame(text.chunk)),
        "started read": Cost(out=read(text.started), shown=frame(text.started) + len("retry: 1500\n")),
        "end read": Cost(out=read(text.end), shown=frame(text.end)),
        "recheck": Cost("xreadgroup", "", 1, asked, len("*-1\r\n")),
    }


def _of_processes() -> dict[str, Cost]:
    due = size("ZRANGEBYSCORE", keys.RUNNING, "-inf", MS, "WITHSCORES", "LIMIT", 0, 500)
    time = size("1767225600", "123456")
    seats = keys.quota(keys.subject("session", ""), "viewers")
    renewed = size("EVALSHA", SHA, 1, seats, 60_000, f"{INSTANCE}-1000")
    return {
        "look at Redis": Cost("time", "", 1, size("TIME"), time),
        "ping": Cost("ping", "", 1, size("PING"), len("+PONG\r\n")),
        "sign of life": Cost("expire", "", 1, size("EXPIRE", keys.consumer(INSTANCE), 60), INTEGER),
        "seats renewed": Cost("evalsha", "time pexpire zadd pexpire", 1, renewed, string(SCORE)),
        "look for leases": Cost(
            "time zrangebyscore zrangebyscore", "", 2, size("TIME") + 2 * due, time + 2 * len("*0\r\n")
        ),
    }  # fmt: skip
