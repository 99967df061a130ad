"""What the doctor finds at an address, by the names of its checks."""

from deploy.doctor import verdicts
from deploy.doctor.examining import Order, examine
from shared.findings import Finding

SECONDS = 5.0
"""Enough for a sign of life each second."""

SLOW = ("buffering", "latency to Redis")
"""What is said with a warning where everything takes its time: tried by tables."""


async def examined(
    url: str, seconds: float = SECONDS, *, ask: bool = False, insecure: bool = False
) -> dict[str, Finding]:
    """Examine it."""
    chain = await examine(Order(url, seconds, ask, insecure))
    return {finding.check: finding for finding in verdicts.findings(chain)}


def not_well(found: dict[str, Finding]) -> dict[str, str]:
    """What wants mending, but for a machine that is slow just now, for others are at work on it."""
    wrong = {name: finding.state for name, finding in found.items() if finding.state in ("warning", "problem")}
    return {name: state for name, state in wrong.items() if not (state == "warning" and name.startswith(SLOW))}


def lines(finding: Finding) -> list[str]:
    """The lines that mend it."""
    return [mend.line for mend in finding.mends]
