"""A Prometheus counter for the hot path of a process with one thread."""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class HotCounter(Collector):
    """Counts by `counter.value += n`. The library's own takes a lock each time: 0.7 µs, of 30 that a frame may cost."""

    def __init__(self, name: str, documentation: str) -> None:
        self.value = 0
        self._name, self._documentation = name, documentation
        REGISTRY.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What Prometheus gets: one sample without labels."""
        yield CounterMetricFamily(self._name, self._documentation, value=self.value)
