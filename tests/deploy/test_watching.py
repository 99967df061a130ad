"""The dashboard and the alerts ask for what the services really show, and say what it means and what to do."""

import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from deploy.leash import Leash
from shared.version import VERSION
from tests.consume_stream.facts import viewers_are
from tests.deploy.promql import Mistaken, Shown, labels, parse, selectors
from tests.docs.alerts_table import rules
from tests.docs.texts import ROOT
from tests.fakes.upstream import Upstream
from tests.processes import Services
from tests.scraped import Scraped, scraped
from tests.viewing import Frame, Refused, Viewer

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "rejoin.json").read_text())
ALERTS = rules()
ALERT_TESTS = yaml.safe_load((Path(__file__).parent / "alerts_test.yaml").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in ALERTS]

_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_OF_ALERT = re.compile(r"\$labels\.(\w+)")
_UNITS = {"s": "_seconds", "bytes": "_bytes"}


@pytest.fixture(scope="module")
async def both(redis_url: str, upstream: Upstream, leash: Leash) -> AsyncIterator[list[Scraped]]:
    """What both services show after a story: an answer, a viewer of it, and one too many."""
    async with Services(redis_url, leash, vendors=upstream.url, REJOIN_VIEWERS_PER_SESSION_MAX=1) as house:
        session = (await house.start(prompt="Hello?", provider="openai"))["sessionId"]
        await Viewer(house.consume.url, session, follow="session").connect(until=_is_end)
        await viewers_are(house.consume, 0)
        one = Viewer(house.consume.url, session, follow="session").stream()
        await anext(one)
        with pytest.raises(Refused):
            await Viewer(house.consume.url, session).connect()
        await one.aclose()
        yield [await scraped(house.generate), await scraped(house.consume)]


def _is_end(frame: Frame) -> bool:
    return bool(frame.event.get("status") == "completed")


@pytest.fixture
def shown(both: list[Scraped]) -> Shown:
    """The labels of every sample, by its name."""
    found: dict[str, frozenset[str]] = {}
    for name, samples in _samples(both):
        found[name] = found.get(name, frozenset()).union(*(has for has, _ in samples))
    return found


def _samples(both: list[Scraped]) -> Iterator[tuple[str, list[Any]]]:
    for each in both:
        yield from each.samples.items()


def test_a_mistake_would_be_found() -> None:
    code = frozenset({"code"})
    shown = {"a_total": code, "b": frozenset[str]()}
    assert labels(parse("sum by (code) (rate(a_total[5m])) > 0"), shown) == code
    assert labels(parse('absent(a_total{code="x"}) or absent(b)'), shown) == code
    for mistaken in (
        "nowhere", "sum(rate(c_total[5m]))", 'a_total{reason="x"}', "sum by (reason) (a_total)", "a_total / b",
        "histogram_quantile(0.5, rate(a_total[5m]))", "max(b) / sum by (code) (a_total)",
    ):  # fmt: skip
        with pytest.raises(Mistaken):
            labels(parse(mistaken), shown)
    with pytest.raises(ValueError, match=r"\w"):
        parse("sum(rate(a_total[5m])")


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_every_expression_asks_for_names_and_labels_that_are_shown(shown: Shown, expression: str) -> None:
    labels(parse(expression), shown)


async def test_every_value_that_is_asked_for_by_name_is_shown(both: list[Scraped]) -> None:
    values: dict[tuple[str, str], set[str]] = {}
    for name, samples in _samples(both):
        for has, _ in samples:
            for label, value in has.items():
                values.setdefault((name, label), set()).add(value)
    asked = 0
    for selector in (selector for expression in EXPRESSIONS for selector in selectors(parse(expression))):
        for matcher in selector.matchers.matchers:
            if matcher.name == "job":
                continue
            exact = matcher.op == promql.MatchOp.Equal
            for value in [matcher.value] if exact else matcher.value.split("|"):
                assert value in values[str(selector.name), matcher.name], str(selector)
                asked += 1
    assert asked > 10


async def test_legends_and_texts_name_labels_that_the_result_has(shown: Shown) -> None:
    texts = [(target["expr"], _LEGEND.findall(target["legendFormat"])) for each in PANELS for target in each["targets"]]
    texts += [(rule["expr"], _OF_ALERT.findall(" ".join(rule["annotations"].values()))) for rule in ALERTS]
    for expression, named in texts:
        assert set(named) <= (labels(parse(expression), shown) or set()), expression


async def test_names_follow_the_conventions_and_each_says_what_it_is(both: list[Scraped]) -> None:
    ours = {name: text for each in both for name, text in each.families.items() if name.startswith("rejoin_")}
    assert len(ours) > 30
    for name, text in ours.items():
        assert re.fullmatch(r"rejoin(_[a-z]+)+", name)
        assert not re.search(r"_(ms|milliseconds|us|minutes|kb|mb|count|sum|bucket)(_|$)", name)
        assert len(text) > 15
        assert text[0].isupper() or text[0].isdigit()
        assert not text.endswith(".")


async def test_no_label_is_ever_a_session(both: list[Scraped]) -> None:
    known = {"code", "direction", "le", "outcome", "cause", "path", "provider", "reason", "service", "version"}
    seen = {
        label for name, samples in _samples(both) if name.startswith("rejoin_") for has, _ in samples for label in has
    }
    assert seen <= known
    # So many series does one process show, a few providers included: what Prometheus has to keep.
    assert all(sum(map(len, each.samples.values())) < 400 for each in both)


async def test_each_service_says_which_it_is(both: list[Scraped]) -> None:
    for each, service in zip(both, ("generate-stream", "consume-stream"), strict=True):
        assert each("rejoin_build_info", service=service, version=VERSION) == 1
        assert each("process_start_time_seconds") > 0
    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text()


async def test_what_autoscaling_reads_is_there(both: list[Scraped]) -> None:
    writer, reader = both
    for each, name in ((writer, "rejoin_generations_running"), (reader, "rejoin_viewers")):
        assert [has for has, _ in each.samples[name]] == [{}]


def test_each_panel_says_what_it_shows_and_in_which_unit() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids) > 30
    assert DASHBOARD["uid"]
    titles = [panel["title"] for panel in PANELS]
    assert len(set(titles)) == len(titles)
    for panel in PANELS:
        assert len(panel["description"]) > 30, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert [target["refId"] for target in panel["targets"]] == [*"ABCDEFGH"][: len(panel["targets"])]


def test_panels_in_seconds_and_bytes_show_seconds_and_bytes() -> None:
    for panel in PANELS:
        unit = panel["fieldConfig"]["defaults"]["unit"]
        asked = [str(each.name) for target in panel["targets"] for each in selectors(parse(target["expr"]))]
        for sign, ending in _UNITS.items():
            measures = [ending in name and not name.endswith("_total") for name in asked]
            assert all(measures) if unit == sign else not any(measures), panel["title"]


def test_panels_stand_side_by_side_and_never_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_the_rows_are_those_of_a_house() -> None:
    rows = [panel["title"].partition(" (")[0] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["At a glance", "Readers", "Writers", "Redis", "Processes"]


def test_the_dashboard_is_bound_to_no_data_source_of_ours() -> None:
    sources = [each["datasource"] for panel in PANELS for each in (panel, *panel["targets"])]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    assert all('job=~"$job"' in target["expr"] for panel in PANELS for target in panel["targets"])


def test_each_alert_says_how_bad_it_is_what_it_means_and_what_to_do() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names)
    for rule in ALERTS:
        assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
        assert set(rule["annotations"]) == {"summary", "description", "action"}
        assert all(len(text) > 20 and text.endswith(".") for text in rule["annotations"].values()), rule["alert"]


def test_each_alert_is_tried_both_ways() -> None:
    tried = [(each, "exp_alerts" in each) for story in ALERT_TESTS["tests"] for each in story["alert_rule_test"]]
    for way in (True, False):
        assert {each["alertname"] for each, fires in tried if fires is way} == {rule["alert"] for rule in ALERTS}


@pytest.fixture
def promtool() -> str:
    """Prometheus' own tool, of the package that Debian calls prometheus."""
    found = shutil.which("promtool")
    if not found and not os.environ.get("CI"):
        pytest.skip("there is no promtool here: the rules are not tried")
    assert found, "CI has promtool"
    return found


def _told(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_fire_and_are_quiet_as_they_should_be(promtool: str, tmp_path: Path) -> None:
    # It would compare the texts, too.
    bare = copy.deepcopy(ALERTS)
    for rule in bare:
        del rule["annotations"]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump({"groups": [{"name": "rejoin", "rules": bare}]}))
    (tmp_path / "alerts_test.yaml").write_text(yaml.safe_dump(ALERT_TESTS))
    assert "SUCCESS" in _told(promtool, "test", "rules", "alerts_test.yaml", folder=tmp_path)


def test_prometheus_takes_the_rules_and_the_examples(promtool: str, tmp_path: Path) -> None:
    assert f"{len(ALERTS)} rules found" in _told(promtool, "check", "config", "prometheus.yaml", folder=PROMETHEUS)
    # Debian's knows no Kubernetes: the rest of the job is tried without it.
    there = yaml.safe_load((PROMETHEUS / "kubernetes.yaml").read_text())
    (job,) = there["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(there))
    shutil.copy(PROMETHEUS / "alerts.yaml", tmp_path)
    _told(promtool, "check", "config", "prometheus.yaml", folder=tmp_path)
