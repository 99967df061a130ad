"""The counters and histograms of the hot path show what the library's own would show."""

import time
import timeit
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.registry import Collector

from shared.counter import HotCounter
from shared.histogram import HotHistogram

BOUNDS = (0.001, 0.25, 1, 2.5, 10)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of these tests stays in the process's own registry."""
    before = set(REGISTRY._collector_to_names)
    yield
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


def shown(collector: Collector) -> str:
    """As /metrics would show it."""
    alone = CollectorRegistry()
    alone.register(collector)
    return generate_latest(alone).decode()


def test_a_counter_shows_each_of_its_series() -> None:
    hot, own = HotCounter("seen", "What was seen", ["by"]), Counter("seen", "What was seen", ["by"], registry=None)
    for by, number in (("one", 3), ("other", 0)):
        hot.series(by).value += number
        own.labels(by).inc(number)
    assert shown(hot) == shown(own)
    hot.series("one").value += 1
    assert shown(hot) != shown(own)


def test_a_series_is_the_same_whoever_asks_for_it() -> None:
    counter, histogram = HotCounter("same", "Same", ["by"]), HotHistogram("alike", "Alike", BOUNDS, ["by"])
    assert counter.series("one") is counter.series("one")
    assert histogram.series("one") is histogram.series("one")
    assert histogram.series("one") is not histogram.series("other")


@given(st.lists(st.floats(0, 20) | st.sampled_from(BOUNDS)))
def test_a_histogram_shows_each_observation_in_the_right_buckets(observations: list[float]) -> None:
    hot = HotHistogram("took_seconds", "How long it took", BOUNDS, ["by"])
    own = Histogram("took_seconds", "How long it took", ["by"], buckets=BOUNDS, registry=None)
    try:
        series, child = hot.series("one"), own.labels("one")
        for observation in observations:
            series.observe(observation)
            child.observe(observation)
        assert shown(hot) == shown(own)
    finally:
        REGISTRY.unregister(hot)


def cost(work: Callable[[], None]) -> float:
    """Of one call, in seconds of this process's own CPU time: the least of several."""
    return min(timeit.repeat(work, number=5_000, repeat=20, timer=time.process_time)) / 5_000


def test_they_cost_less_than_half_of_what_the_librarys_own_cost() -> None:
    count, counter = HotCounter("hot", "Hot").series(), Counter("own", "Own", registry=None)
    observed, histogram = HotHistogram("hot_seconds", "Hot", BOUNDS).series(), Histogram("s", "Own", registry=None)

    def counts() -> None:
        count.value += 1

    assert cost(counts) < cost(counter.inc) / 2
    assert cost(lambda: observed.observe(0.03)) < cost(lambda: histogram.observe(0.03)) / 2
