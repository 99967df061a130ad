"""The chart for README, drawn as SVG from a run's JSON: latency and cost over load, on light and dark. Pure."""

import math
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from tests.bench.figures import AS_WRITTEN, FLOOR, OURS

_WIDTH, _HEIGHT = 880, 380
_TOP, _BOTTOM = 84, 320
_PANELS = ((64, 420), (508, 860))
_KINDS = {OURS: "Rejoin", AS_WRITTEN: "as written", FLOOR: "floor: no Redis"}
_STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328 }
  .grid { stroke: #8c959f; stroke-opacity: .3 }
  .s0 { stroke: #0969da; fill: #0969da } .s1 { stroke: #bc4c00; fill: #bc4c00 } .s2 { stroke: #6e7781; fill: #6e7781 }
  polyline { fill: none !important; stroke-width: 2; stroke-linejoin: round }
  .p99 { stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .title { fill: #f0f6fc }
    .s0 { stroke: #58a6ff; fill: #58a6ff } .s1 { stroke: #f0883e; fill: #f0883e } .s2 { stroke: #9198a1; fill: #9198a1 }
  }
"""

Point = dict[str, Any]
Scale = Callable[[float], float]


def chart(result: dict[str, Any]) -> str:
    """The SVG of one run."""
    curve, machine = result["curve"], result["machine"]
    sessions = max((point["sessions"] for point in curve), default=0)
    load = _linear([point["chunks_per_s"] for point in curve])
    about = f"{sessions} sessions, a viewer on each · one consume process · {machine['cores']} cores, {machine['cpu']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        "<title>Latency and CPU per chunk over load: Rejoin, the blog form of the design, and no Redis</title>",
        f"<style>{_STYLE}</style>",
        _legend(),
        _panel(_PANELS[0], "From append to viewer, ms", curve, load, _logarithmic, {"p50_ms": "p50", "p99_ms": "p99"}),
        _panel(_PANELS[1], "CPU per delivered chunk, µs", curve, load, _from_zero, {"cpu_us": "p50"}),
        _text(_PANELS[0][0], _HEIGHT - 8, about),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend() -> str:
    parts, left = [], _PANELS[0][0]
    for number, name in enumerate(_KINDS.values()):
        parts.append(f'<rect class="s{number}" x="{left}" y="18" width="10" height="10" rx="2"/>')
        parts.append(_text(left + 16, 27, name))
        left += 40 + 7 * len(name)
    for line, name in (("p50", "median"), ("p99", "99th percentile")):
        points = f"{left},23 {left + 28},23"
        parts += [f'<polyline class="s2 {line}" points="{points}"/>', _text(left + 34, 27, name)]
        left += 60 + 7 * len(name)
    return "\n".join(parts)


def _panel(
    sides: tuple[int, int],
    title: str,
    curve: Sequence[Point],
    load: tuple[float, list[float]],
    scaled: Callable[[Sequence[float]], tuple[Scale, list[float]]],
    lines: dict[str, str],
) -> str:
    """One pair of axes: `lines` names a fact of the points, and how its line looks."""
    left, right = sides
    most, marks = load
    height, ticks = scaled([point[fact] for point in curve for fact in lines])
    parts = [
        _text(left, _TOP - 16, title, "title"),
        _text(right, _BOTTOM + 34, "delivered chunks per second", at="end"),
    ]
    for tick in ticks:
        y = _BOTTOM - height(tick) * (_BOTTOM - _TOP)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(_text(left - 8, y + 4, f"{tick:,.6g}", at="end"))
    across = (right - left) / most
    parts += [_text(left + mark * across, _BOTTOM + 18, f"{mark:,.0f}", at="middle") for mark in marks]
    for number, kind in enumerate(_KINDS):
        points = [point for point in curve if point["server"] == kind]
        for fact, look in lines.items():
            at = " ".join(
                f"{left + point['chunks_per_s'] * across:.1f},{_BOTTOM - height(point[fact]) * (_BOTTOM - _TOP):.1f}"
                for point in points
            )
            parts.append(f'<polyline class="s{number} {look}" points="{at}"/>')
    return "\n".join(parts)


def _text(x: float, y: float, text: str, look: str = "", *, at: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{look}" text-anchor="{at}">{escape(text)}</text>'


def _linear(values: Sequence[float]) -> tuple[float, list[float]]:
    """The end of an axis from 0, and some round marks on it."""
    most = max(values, default=1.0) or 1.0
    step = 10.0 ** math.floor(math.log10(most))
    step = next(each for each in (step / 5, step / 2, step, step * 2) if most / each <= 6)
    return most, [step * number for number in range(int(most / step) + 1)]


def _from_zero(values: Sequence[float]) -> tuple[Scale, list[float]]:
    most, marks = _linear(values)
    return (lambda value: value / most), marks


def _logarithmic(values: Sequence[float]) -> tuple[Scale, list[float]]:
    """Whole powers of ten around all values."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    high = max(high, low + 1)
    ticks = [10.0**power for power in range(low, high + 1)]
    return (lambda value: (math.log10(max(value, ticks[0])) - low) / (high - low)), ticks
