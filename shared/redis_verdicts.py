"""Verdicts on Redis: facts become findings. Pure."""

import re
from collections.abc import Iterator

from shared.findings import Finding, Mend, State
from shared.redis_facts import RedisFacts

_OLDEST = (6, 2)
_FAR_MS = 20.0
_SKEW_MS = 2000.0
_FILLING, _FULL = 0.8, 0.98
_CONF, _CLI = "redis.conf", "redis-cli"
_RULES = {"key": "~llm:* ~{llm:stream:*}:meta", "channel": "&llm:*"}
_GB = 1024**3


def findings(facts: RedisFacts, *, clustered: bool) -> list[Finding]:
    """All that can be said of it, what is fundamental first. `clustered`: REDIS_URL says that it is a cluster."""
    if facts.away is not None:
        return [_away(facts.away)]
    found = [_rights(facts), _latency(facts), _clock(facts)]
    if not facts.info:
        mend = Mend(_CLI, f"ACL SETUSER {facts.user} +info")
        seen = f"its version, eviction, persistence, memory and role: the user {facts.user} may not call INFO"
        return [*found, Finding("Redis, the rest", "unchecked", seen, (mend,))]
    checks = (_version, _role, _eviction, _persistence, _memory)
    return [*(check(facts.info) for check in checks), *_cluster(facts, clustered=clustered), *found]


def _away(cause: str) -> Finding:
    password = "password" in cause or "Authentication" in cause or "NOAUTH" in cause
    url = "REDIS_URL=redis://<user>:<its password>@<host>:6379/0" if password else "REDIS_URL=redis://<host>:6379/0"
    mends = (Mend("environment", url), Mend("see whether it runs", "redis-cli -u $REDIS_URL PING"))
    return Finding("Redis", "problem", f"out of reach: {cause}", mends)


def _version(info: dict[str, str]) -> Finding:
    said = info.get("valkey_version") or info.get("redis_version", "")
    name = "Valkey" if "valkey_version" in info else "Redis"
    match = re.match(r"(\d+)\.(\d+)", info.get("redis_version", ""))
    if match is None:
        return Finding("Redis version", "unchecked", f"it says {said!r}")
    if (int(match[1]), int(match[2])) < _OLDEST:
        mend = Mend("install", "Redis 6.2 or later, or Valkey")
        return Finding("Redis version", "problem", f"{name} {said} is older than 6.2", (mend,))
    return Finding("Redis version", "ok", f"{name} {said}")


def _role(info: dict[str, str]) -> Finding:
    if info.get("role") == "slave":
        seen = f"this is a replica (its line to the master is {info.get('master_link_status')}): it takes no writes"
        where = f"{info.get('master_host')}:{info.get('master_port')}"
        promote = Mend(f"{_CLI}, if the master is lost", "REPLICAOF NO ONE")
        return Finding("role", "problem", seen, (Mend("environment", f"REDIS_URL=redis://{where}/0"), promote))
    if info.get("loading") == "1":
        return Finding("role", "problem", "it is loading its data, and refuses commands until it is done")
    return Finding("role", "ok", f"master, replicas: {info.get('connected_slaves', '0')}")


def _eviction(info: dict[str, str]) -> Finding:
    policy, evicted = info.get("maxmemory_policy", ""), _number(info, "evicted_keys")
    if policy == "noeviction":
        return Finding("eviction", "ok", "maxmemory-policy is noeviction")
    lost = f"; {evicted} keys are gone already" if evicted else ""
    state: State = "problem" if _number(info, "maxmemory") or evicted else "warning"
    seen = f"maxmemory-policy is {policy}: at maxmemory, running answers would vanish{lost}"
    return Finding("eviction", state, seen, _set("maxmemory-policy", "noeviction"))


def _persistence(info: dict[str, str]) -> Finding:
    if info.get("aof_enabled") != "1":
        seen = "the append-only file is off: a restart of Redis loses the sessions"
        return Finding("persistence", "warning", seen, _set("appendonly", "yes"))
    if info.get("aof_last_write_status", "ok") != "ok":
        mend = Mend("see what is wrong with its disk", "df -h <its dir>; tail <its logfile>")
        return Finding("persistence", "problem", "the last write to the append-only file failed", (mend,))
    return Finding("persistence", "ok", "the append-only file is on, and its last write went well")


def _memory(info: dict[str, str]) -> Finding:
    used, most, machine = (_number(info, name) for name in ("used_memory", "maxmemory", "total_system_memory"))
    limit = most or machine
    if not limit:
        return Finding("memory", "unchecked", f"{_size(used)} used; Redis does not say of how much")
    share = used / limit
    seen = f"{_size(used)} used of {_size(limit)}" + ("" if most else ", the machine's: there is no maxmemory")
    more = (*_set("maxmemory", str(2 * limit)), Mend("or, for generate-stream", "REJOIN_TTL_S=<less than now>"))
    if not most:
        if share < _FILLING / 2:
            return Finding("memory", "ok", seen)
        return Finding("memory", "warning", seen, _set("maxmemory", str(int(0.75 * machine))))
    if share >= _FULL:
        return Finding("memory", "problem", f"{seen}: new answers are refused (503 storage_full)", more)
    if share >= _FILLING:
        return Finding("memory", "warning", seen, more)
    return Finding("memory", "ok", seen)


def _cluster(facts: RedisFacts, *, clustered: bool) -> Iterator[Finding]:
    if clustered:
        yield Finding("cluster", "ok", "a Redis Cluster, of which this is one master; the others were not looked at")
        return
    if facts.info.get("cluster_enabled") != "1" and not facts.moved:
        return
    mend = Mend("environment", "REDIS_URL=redis+cluster://<one of its nodes>:6379,<another>:6379")
    yield Finding("cluster", "problem", "this is a node of a Redis Cluster, asked as if it were a Redis alone", (mend,))


def _latency(facts: RedisFacts) -> Finding:
    middle, worst = sorted(facts.ping_ms)[len(facts.ping_ms) // 2], max(facts.ping_ms)
    seen = f"a round trip takes {middle:.1f} ms, at worst {worst:.1f} ms of {len(facts.ping_ms)}"
    if middle < _FAR_MS:
        return Finding("latency to Redis", "ok", seen)
    mend = Mend("deployment", "run this service in the same zone as Redis")
    return Finding("latency to Redis", "warning", f"{seen}; every word waits for some of these", (mend,))


def _clock(facts: RedisFacts) -> Finding:
    if facts.clock_ahead_ms is None:
        mend = Mend(_CLI, f"ACL SETUSER {facts.user} +time")
        return Finding("clock of Redis", "unchecked", "it may not be asked", (mend,))
    return clock("clock of Redis", "this service's", facts.clock_ahead_ms, facts.ping_ms[-1])


def clock(check: str, whose: str, ahead_ms: float, uncertain_ms: float) -> Finding:
    """What to say of a clock that is so far ahead of another one."""
    apart = f"{abs(ahead_ms) / 1000:.1f} s {'ahead of' if ahead_ms > 0 else 'behind'} {whose}"
    if abs(ahead_ms) <= _SKEW_MS + uncertain_ms:
        return Finding(check, "ok", apart)
    mends = (Mend("on the host whose clock is wrong", "timedatectl set-ntp true"), Mend("or", "chronyc makestep"))
    return Finding(check, "warning", apart, mends)


def _rights(facts: RedisFacts) -> Finding:
    if not facts.denied:
        return Finding("rights in Redis", "ok", f"the user {facts.user} may do all that is needed")
    missing = [f"{each.command} ({each.for_its})" for each in facts.denied]
    rules = dict.fromkeys(_RULES.get(each.for_its) or f"+{each.command.lower()}" for each in facts.denied)
    seen = f"the user {facts.user} may not use {', '.join(missing)}"
    given = " ".join(rules)
    at_once = Mend(f"{_CLI}, at once", f"ACL SETUSER {facts.user} {given}")
    mends = (at_once, Mend("its ACL file, to keep it", f"user {facts.user} … {given}"))
    return Finding("rights in Redis", "problem", seen, mends)


def _set(name: str, value: str) -> tuple[Mend, ...]:
    return Mend(_CONF, f"{name} {value}"), Mend(f"{_CLI}, at once", f"CONFIG SET {name} {value}")


def _number(info: dict[str, str], name: str) -> int:
    text = info.get(name, "")
    return int(text) if text.isdigit() else 0


def _size(number: int) -> str:
    return f"{number / _GB:.1f} GB" if number >= _GB else f"{number / 1024**2:.1f} MB"
