"""What was found, as tables for a terminal. Pure."""

from collections.abc import Sequence

from tests.bench.bounds import Judgement, judged
from tests.bench.figures import AS_WRITTEN, FLOOR, OURS, Figure, quantiles
from tests.bench.rig import Found

_HEAD = ("work", "figure", OURS, AS_WRITTEN, FLOOR, "must be", "is", "")


def tables(found: Found) -> str:
    """The figures with their bounds, what else there is to know, and what broke."""
    parts = [_aligned([_HEAD, *(row for figure in found.figures for row in _rows(figure))])]
    parts.append("Load generators, the worst window of each:\n" + _aligned(_generators(found)))
    if found.others:
        used = quantiles(found.others)
        parts.append(f"Other programs used {used['p50']:.2f} cores meanwhile, {used['max']:.2f} in the worst window.")
    if found.remarks:
        parts.append("\n".join(f"· {remark}" for remark in found.remarks))
    if found.broken:
        parts.append("BROKEN\n" + "\n".join(f"· {what}" for what in found.broken))
    return "\n\n".join(parts)


def _rows(figure: Figure) -> list[tuple[str, ...]]:
    values = [_value(figure.value(of), figure.unit) for of in (OURS, AS_WRITTEN, FLOOR)]
    verdicts = [_verdict(figure, judgement) for judgement in judged([figure])] or [("", "", "")]
    first = (figure.work, figure.name, *values, *verdicts[0])
    return [first, *(("", "", "", "", "", *verdict) for verdict in verdicts[1:])]


def _verdict(figure: Figure, judgement: Judgement) -> tuple[str, str, str]:
    bound, met = judgement.bound, "met" if judgement.met else "MISSED"
    to = f" × {bound.to}" if bound.to else ""
    if bound.to and bound.to not in _HEAD:
        to += f" ({_value(figure.value(bound.to), figure.unit)})"
    least = f"{bound.at_least:g} … " if bound.at_least else "≤ "
    return f"{least}{bound.at_most:g}{to}", f"{judgement.found:.3g}", met


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def _generators(found: Found) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("work", "generator", "core", "loop late, p99", "chunks late, p99")]
    for (work, name), worst in found.generators.items():
        late = (f"{worst[fact]:.1f} ms" if fact in worst else "" for fact in ("late_p99_ms", "written_late_p99_ms"))
        rows.append((work, name, f"{worst['core']:.2f}" if "core" in worst else "", *late))
    return rows


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
