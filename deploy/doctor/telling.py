"""Telling: findings as lines for people, or as JSON for programs."""

import json
from collections.abc import Sequence
from typing import Any

from deploy.doctor.facts import Chain
from shared.findings import Finding, as_json

MARKS = {"ok": "✓", "warning": "!", "problem": "✗", "unchecked": "–"}
_ENDS = {0: "Nothing is wrong.", 1: "It works; the lines marked ! want mending.", 2: "The lines marked ✗ want mending."}


def lines(url: str, found: Sequence[Finding], code: int) -> list[str]:
    """One line a check; below it, what mends it."""
    width = max(len(finding.check) for finding in found)
    told = [f"Rejoin's doctor at {url}", ""]
    for finding in found:
        note = "not checked: " if finding.state == "unchecked" else ""
        told.append(f"{MARKS[finding.state]} {finding.check:<{width}}  {note}{finding.seen}")
        told += [f"    → {mend.where}:  {mend.line}" for mend in finding.mends]
    return [*told, "", _ENDS[code]]


def document(chain: Chain, found: Sequence[Finding], code: int) -> str:
    """The same as JSON, with the reports of both services."""
    told: dict[str, Any] = {
        "url": chain.url,
        "exitCode": code,
        "findings": [as_json(finding) for finding in found],
        "reports": {"consume-stream": chain.consume.body, "generate-stream": chain.generate.body},
    }
    return json.dumps(told, ensure_ascii=False, indent=2)
