"""The chart: well-formed, with a line for each server, everything inside the picture."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench.chart import chart
from tests.bench.figures import AS_WRITTEN, FLOOR, OURS

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*latencies: float, cpu: str = "A <CPU> & more") -> ElementTree.Element:
    """A chart with one point per latency for each server."""
    points: list[dict[str, Any]] = [
        {
            "server": server,
            "sessions": 300,
            "chunks_per_s": 1000.0 * at,
            "p50_ms": late,
            "p99_ms": late * 3,
            "cpu_us": 50.0,
        }
        for server in (OURS, AS_WRITTEN, FLOOR)
        for at, late in enumerate(latencies, 1)
    ]
    return ElementTree.fromstring(chart({"curve": points, "machine": {"cores": 2, "cpu": cpu}}))


def test_a_line_for_each_server_and_fact() -> None:
    lines = [line for line in drawn(1, 10, 100).iter(f"{SVG}polyline") if len(line.attrib["points"].split()) == 3]
    assert len(lines) == 3 * 3


def test_the_machine_is_named_whatever_its_name_holds() -> None:
    assert any("A <CPU> & more" in (text.text or "") for text in drawn(1).iter(f"{SVG}text"))


@pytest.mark.parametrize("latencies", [(0.0,), (1.0,), (0.02, 3000.0), (5.0, 5.0, 5.0)])
def test_every_point_lies_inside_the_picture(latencies: tuple[float, ...]) -> None:
    picture = drawn(*latencies)
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    for line in picture.iter(f"{SVG}polyline"):
        for point in re.findall(r"(\S+),(\S+)", line.attrib["points"]):
            assert 0 <= float(point[0]) <= width
            assert 0 <= float(point[1]) <= height
