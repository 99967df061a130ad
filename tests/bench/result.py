"""What a run has found as JSON: the form that is kept, and from which the chart is drawn. Pure."""

from typing import Any

from tests.bench.bounds import judged
from tests.bench.figures import quantiles
from tests.bench.rig import Found


def result(found: Found, machine: dict[str, Any], began: str, seconds: float) -> dict[str, Any]:
    """Everything that the tables say, and every window's sample."""
    figures = [
        {
            "work": figure.work,
            "figure": figure.name,
            "unit": figure.unit,
            "median": {of: figure.value(of) for of in figure.samples},
            "windows": {of: list(samples) for of, samples in figure.samples.items()},
        }
        for figure in found.figures
    ]
    bounds = [each.bound._asdict() | {"found": each.found, "met": each.met} for each in judged(found.figures)]
    generators = [{"work": work, "generator": name, **worst} for (work, name), worst in found.generators.items()]
    return {
        "began": began,
        "seconds": round(seconds),
        "machine": machine,
        "figures": figures,
        "bounds": bounds,
        "curve": found.curve,
        "generators": generators,
        "othersCores": quantiles(found.others),
        "remarks": found.remarks,
        "broken": found.broken,
    }
