"""The tally of a run: the one table at its end."""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.finding import Finding


@dataclass
class Tally:
    """What happened, counted over all seeds."""

    seeds: int = 0
    failed_seeds: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    vendor_faults: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    viewers: Counter[str] = field(default_factory=Counter)
    takeovers: int = 0
    reconnects: int = 0
    resets: int = 0
    nudges_lost: int = 0
    dropped: int = 0
    refused_as_full: int = 0
    groups_of_the_dead: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    settled_s: list[float] = field(default_factory=list)

    def found(self, seed: int, findings: list[Finding]) -> None:
        """Count the findings of one seed."""
        self.seeds += 1
        self.findings.update(finding.kind for finding in findings)
        if findings:
            self.failed_seeds.append(seed)

    def table(self, seconds: float) -> str:
        """The table."""
        rows = [("seeds", self.seeds, _told(self.failed_seeds))]
        rows += [("faults", self.faults.total(), _parts(self.faults))]
        rows += [("answers", self.answers.total(), _parts(self.answers))]
        rows += [("takeovers", self.takeovers, "")]
        rows += [("viewers", self.viewers.total(), _parts(self.viewers))]
        rows += [("reconnects", self.reconnects, ""), ("resets", self.resets, "")]
        rows += [
            ("dropped", self.dropped, "viewers that never read"),
            ("full", self.refused_as_full, "prompts refused"),
        ]
        rows += [("nudges lost", self.nudges_lost, ""), ("dead groups", self.groups_of_the_dead, "left to the sweep")]
        rows += [
            (kind, self.findings[kind], "") for kind in ("lost", "doubled", "hung", "wrong", "left over", "broken")
        ]
        longest = f"settled after {max(self.settled_s):.1f} at most" if self.settled_s else ""
        rows += [("seconds", round(seconds), longest)]
        return "\n".join(f"{name:<12}{number:>7}  {more}".rstrip() for name, number, more in rows)


def _parts(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))


def _told(failed: list[int]) -> str:
    return f"failed: {', '.join(map(str, failed))}" if failed else ""
