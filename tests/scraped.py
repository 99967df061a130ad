"""What a service shows at /metrics, read as Prometheus reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import Service

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Scraped:
    """One scrape: samples by name, as their labels and values; and the names of the families."""

    samples: dict[str, list[tuple[Labels, float]]] = field(repr=False)
    families: dict[str, str] = field(repr=False)
    """The help text of each, by its name as it is queried for: counters with `_total`."""

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels; 0 where there is none yet."""
        return sum(value for has, value in self.samples.get(name, ()) if labels.items() <= has.items())


async def scraped(service: Service) -> Scraped:
    """Ask it now."""
    async with httpx2.AsyncClient(verify=False) as client:
        text = (await client.get(f"{service.url}/metrics")).text
    samples: dict[str, list[tuple[Labels, float]]] = {}
    families = {}
    for family in text_string_to_metric_families(text):
        families[family.name + ("_total" if family.type == "counter" else "")] = family.documentation
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return Scraped(samples, families)
