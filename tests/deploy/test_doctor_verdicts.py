"""The doctor's verdicts, by tables: what was seen, and what is said of it."""

import pytest

from deploy.doctor import stream_verdicts, telling, verdicts
from deploy.doctor.facts import Answer, Asked, Beacon, Chain, Heard
from shared.findings import Finding, State, as_json, from_json
from shared.redis_facts import Denied, RedisFacts
from shared.redis_verdicts import findings

EVERY_MS = 200
WELL = {
    "redis_version": "7.0.15", "role": "master", "maxmemory_policy": "noeviction", "aof_enabled": "1",
    "used_memory": "1000", "maxmemory": "0", "total_system_memory": "1000000",
}  # fmt: skip
CONSUME = Answer(400, {"error": {"code": "invalid_session_id", "message": ""}})
GENERATE = Answer(200, {"default": {}, "providers": []})
REPORT = Answer(200, {"nowMs": 0.0, "httpVersion": "1.1", "pingS": 15, "findings": []})
CHAIN = Chain("https://chat.example", CONSUME, GENERATE, REPORT, REPORT, "h2", asked="not asked")


def heard(*here_ms: float, status: int = 200) -> Heard:
    beacons = tuple(Beacon(number * EVERY_MS, here) for number, here in enumerate(here_ms))
    return Heard(status, "text/event-stream", "", beacons, is_whole=True, lasted_s=1)


def said(found: list[Finding], check: str) -> Finding:
    [one] = [finding for finding in found if finding.check == check]
    return one


@pytest.mark.parametrize(
    ("stream", "state"),
    [
        (heard(9, 209, 409, 609, 809), "ok"),
        # By a clock that is an hour ahead.
        (heard(3_600_000, 3_600_200, 3_600_400), "ok"),
        (heard(800, 801, 802, 803, 804), "problem"),
        # Two at a time, as a small buffer gives them.
        (heard(200, 201, 600, 601, 1000, 1001), "problem"),
        # One pause of the network, and what it held back.
        (heard(0, 200, 1900, 1901, 1902, 1903, 2000, 2200, 2400, 2600, 2800, 3000, 3200), "warning"),
        (heard(), "problem"),
        (heard(1), "problem"),
        (heard(status=429), "unchecked"),
        (heard(status=502), "problem"),
    ],
)
def test_buffering(stream: Heard, state: State) -> None:
    found = list(stream_verdicts.passage(CHAIN._replace(live=stream)))
    assert said(found, "buffering").state == state


@pytest.mark.parametrize(
    ("alpn", "url", "state"),
    [
        ("h2", "https://chat.example", "ok"),
        ("http/1.1", "https://chat.example", "warning"),
        ("", "https://chat.example", "warning"),
        (None, "http://chat.example", "warning"),
        (None, "http://127.0.0.1:8000", "unchecked"),
        (None, "http://localhost:8000", "unchecked"),
    ],
)
def test_protocol(alpn: str | None, url: str, state: State) -> None:
    found = stream_verdicts.protocol(CHAIN._replace(alpn=alpn, url=url))
    assert found.state == state
    assert bool(found.mends) == (state == "warning")


@pytest.mark.parametrize(
    ("info", "check", "state"),
    [
        ({}, "Redis version", "ok"),
        ({"redis_version": "6.0.16"}, "Redis version", "problem"),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.1"}, "Redis version", "ok"),
        ({"redis_version": "by nobody"}, "Redis version", "unchecked"),
        ({"role": "slave"}, "role", "problem"),
        ({"loading": "1"}, "role", "problem"),
        ({"maxmemory_policy": "allkeys-lru"}, "eviction", "warning"),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": "9000"}, "eviction", "problem"),
        ({"maxmemory_policy": "allkeys-lru", "evicted_keys": "3"}, "eviction", "problem"),
        ({"aof_enabled": "0"}, "persistence", "warning"),
        ({"aof_last_write_status": "err"}, "persistence", "problem"),
        ({}, "memory", "ok"),
        ({"used_memory": "500000"}, "memory", "warning"),
        ({"used_memory": "500", "maxmemory": "1000"}, "memory", "ok"),
        ({"used_memory": "850", "maxmemory": "1000"}, "memory", "warning"),
        ({"used_memory": "990", "maxmemory": "1000"}, "memory", "problem"),
        ({"total_system_memory": "", "maxmemory": ""}, "memory", "unchecked"),
        ({"cluster_enabled": "1"}, "cluster", "problem"),
    ],
)
def test_info(info: dict[str, str], check: str, state: State) -> None:
    found = findings(RedisFacts(info=WELL | info, ping_ms=(1.0,), clock_ahead_ms=0.0), clustered=False)
    assert said(found, check).state == state
    assert {finding.state for finding in found if finding.check != check} == {"ok"}


@pytest.mark.parametrize(
    ("facts", "check", "state"),
    [
        (RedisFacts(away="Connection refused."), "Redis", "problem"),
        (RedisFacts(ping_ms=(1.0,)), "clock of Redis", "unchecked"),
        (RedisFacts(ping_ms=(1.0,)), "Redis, the rest", "unchecked"),
        (RedisFacts(ping_ms=(1.0,), clock_ahead_ms=-5000.0), "clock of Redis", "warning"),
        # As far as the way there leaves it open, no clock is wrong.
        (RedisFacts(ping_ms=(4000.0,), clock_ahead_ms=-5000.0), "clock of Redis", "ok"),
        (RedisFacts(ping_ms=(1.0, 30.0, 31.0), clock_ahead_ms=0.0), "latency to Redis", "warning"),
        (RedisFacts(ping_ms=(1.0, 2.0, 900.0), clock_ahead_ms=0.0), "latency to Redis", "ok"),
        (RedisFacts(ping_ms=(1.0,), denied=(Denied(command="EVAL", for_its="command"),)), "rights in Redis", "problem"),
        (RedisFacts(ping_ms=(1.0,), moved=True, info=WELL), "cluster", "problem"),
    ],
)
def test_what_was_seen_of_redis(facts: RedisFacts, check: str, state: State) -> None:
    assert said(findings(facts, clustered=False), check).state == state


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (Asked(80.0, 150, "completed", is_exact=True), "ok"),
        (Asked(80.0, 149, "completed"), "problem"),
        (Asked(None, 0, "no end within 25 s"), "problem"),
        ("no demo provider", "unchecked"),
    ],
)
def test_an_answer(asked: Asked | str, state: State) -> None:
    assert said(verdicts.findings(CHAIN._replace(asked=asked)), "an answer").state == state


def test_clocks_are_compared_as_far_as_the_way_lets() -> None:
    now_ms = 1_000_000.0
    for ahead_ms, took_ms, state in ((0, 10, "ok"), (2500, 10, "warning"), (-2500, 10, "warning"), (-2500, 900, "ok")):
        body = (REPORT.body or {}) | {"nowMs": now_ms + ahead_ms}
        report = REPORT._replace(body=body, asked_ms=now_ms - took_ms, answered_ms=now_ms)
        assert said(verdicts.findings(CHAIN._replace(consume=report)), "clock of consume-stream").state == state


def test_the_worst_decides_the_exit_code() -> None:
    one = Finding("a", "ok", ""), Finding("b", "warning", ""), Finding("c", "problem", "")
    assert [verdicts.exit_code([*one[:count]]) for count in (0, 1, 2, 3)] == [0, 0, 1, 2]


def test_a_cluster_that_is_known_as_one_is_well() -> None:
    facts = RedisFacts(info=WELL | {"cluster_enabled": "1"}, ping_ms=(1.0,), moved=True)
    assert said(findings(facts, clustered=True), "cluster").state == "ok"


def test_a_finding_is_told_as_it_is() -> None:
    for finding in findings(RedisFacts(away="no answer", ping_ms=(1.0,)), clustered=False):
        assert from_json(as_json(finding)) == finding
        told = "\n".join(telling.lines("http://chat.example", [finding], 2))
        assert f"✗ {finding.check}" in told
        assert all(mend.where in told and mend.line in told for mend in finding.mends)
