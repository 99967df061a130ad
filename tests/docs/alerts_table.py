"""The table of alerts in README, made from their rules: `python -m tests.docs.alerts_table` writes it."""

import re
from typing import Any

import yaml

from tests.docs.texts import ROOT

README = ROOT / "README.md"
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
_BLOCK = re.compile(r"(<!-- alerts: [^\n]*-->\n).*?(<!-- /alerts -->)", re.DOTALL)


def rules() -> list[dict[str, Any]]:
    """The alerts as Prometheus reads them."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def table() -> str:
    """One row an alert: what it means, what to do."""
    lines = ["| alert | what it means | what to do |", "|---|---|---|"]
    return "\n".join(lines + [_row(rule) for rule in rules()])


def written(readme: str) -> str:
    """The page with the table as it should be."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{table()}\n\n{block[2]}", readme)


def _row(rule: dict[str, Any]) -> str:
    texts = rule["annotations"]
    return f"| `{rule['alert']}`, {rule['labels']['severity']} | {texts['description']} | {texts['action']} |"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
