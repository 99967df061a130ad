"""Bounds: what is judged, and how; the tables and the JSON that tell it."""

import json

from tests.bench.bounds import BOUNDS, Bound, judged
from tests.bench.figures import AS_WRITTEN, OURS, Figure
from tests.bench.result import result
from tests.bench.rig import Found
from tests.bench.table import tables

BOUNDED = (Bound("W1", "p50", 0.7, AS_WRITTEN), Bound("W4", "memory", 40))


def figure(ours: float, written: float) -> Figure:
    return Figure("W1", "p50", "ms", {OURS: [ours], AS_WRITTEN: [written]})


def test_a_ratio_on_its_bound_is_met_and_one_above_is_missed() -> None:
    assert [each.met for each in judged([figure(7, 10), figure(7.1, 10)], BOUNDED)] == [True, False]


def test_a_bound_of_two_sides_is_missed_on_either() -> None:
    bounded = (Bound("W1", "p50", 1.1, AS_WRITTEN, at_least=0.9),)
    found = [figure(8.9, 10), figure(9.1, 10), figure(11.1, 10)]
    assert [each.met for each in judged(found, bounded)] == [False, True, False]


def test_a_bound_without_a_baseline_is_of_the_value_itself() -> None:
    (judgement,) = judged([Figure("W4", "memory", "KB", {OURS: [41.0, 39.0, 30.0]})], BOUNDED)
    assert (judgement.found, judgement.met) == (39, True)


def test_what_was_not_measured_is_not_judged() -> None:
    assert list(judged([Figure("W1", "p50", "ms", {OURS: [1.0]}), Figure("W9", "p50", "ms", {})], BOUNDED)) == []


def test_no_bound_stands_twice() -> None:
    places = [(bound.work, bound.figure, bound.to) for bound in BOUNDS]
    assert len(places) == len(set(places))


def test_the_tables_show_what_is_missed_and_what_broke() -> None:
    found = Found([Figure("W1", "p50", "ms", {OURS: [8.0], AS_WRITTEN: [10.0]})], broken=["W1: 3 chunks never came"])
    told = tables(found)
    assert "≤ 0.7 × as written  0.8  MISSED" in told
    assert "3 chunks never came" in told


def test_the_json_holds_every_window_and_every_bound() -> None:
    kept = json.loads(json.dumps(result(Found([figure(5, 10)]), {}, "2026-01-01T00:00:00+00:00", 1.0)))
    assert kept["figures"][0]["windows"] == {OURS: [5], AS_WRITTEN: [10]}
    assert kept["bounds"][0] | {"found": 0.5, "met": True, "to": AS_WRITTEN} == kept["bounds"][0]
