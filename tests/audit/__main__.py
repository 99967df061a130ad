"""Known vulnerabilities of what is installed: of each lock, by the data there is. `make audit` runs it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120
_SOURCES = ("pypi", "osv")
_KNOWN_BAD = "jinja2==2.10"


class Told(NamedTuple):
    """What a tool has said of one lock: its findings, or None where its data is out of reach, with the reason."""

    findings: int | None
    text: str


def pip_audit(lock: Path) -> Told:
    """By PyPI's data, else by OSV's. Hashes fix every package, so nothing is resolved and nothing installed."""
    told = Told(None, "")
    for source in _SOURCES:
        told = _by(source, "-r", str(lock), "--require-hashes")
        if told.findings is None:
            continue
        # Whoever says that all is well has to know of this one: a mirror has packages, but not what is wrong with them.
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as known:
            known.write(_KNOWN_BAD)
            known.flush()
            if told.findings or _by(source, "-r", known.name, "--no-deps").findings:
                return told
        told = Told(None, f"{source} knows of nothing wrong with {_KNOWN_BAD}")
    return told


def _by(source: str, *which: str) -> Told:
    options = ("--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15", "-s", source)
    return _run([sys.executable, "-m", "pip_audit", *which, *options], vulnerable)


def vulnerable(report: Any) -> int:
    """How many findings a report of pip-audit's has. Raises ValueError for none of which a package was left out."""
    skipped = [each["skip_reason"] for each in report["dependencies"] if "skip_reason" in each]
    found = sum(len(each.get("vulns", ())) for each in report["dependencies"])
    if skipped and not found:
        raise ValueError(skipped[0])
    return found


def npm_audit(lock: Path) -> Told:
    """By the registry's data."""
    command = ["npm", "audit", "--json", "--package-lock-only", "--prefix", str(lock.parent)]
    return _run(command, lambda found: found["metadata"]["vulnerabilities"]["total"])


def _run(command: Sequence[str], count: Callable[[Any], int]) -> Told:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Told(None, str(error))
    # Both exit with 1 for findings and for trouble alike: only a report tells them apart.
    try:
        return Told(int(count(json.loads(done.stdout))), done.stdout)
    except json.JSONDecodeError:
        return Told(None, done.stderr.strip())
    except ValueError as error:
        return Told(None, str(error))
    except (KeyError, TypeError):
        return Told(None, " ".join(done.stdout.split()))


def main() -> int:
    """1 when something was found; 0 also when nothing could be checked, which is said plainly."""
    locks = [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "web" / "package-lock.json"]
    found = 0
    for lock in locks:
        told = npm_audit(lock) if lock.name == "package-lock.json" else pip_audit(lock)
        name = lock.relative_to(ROOT)
        if told.findings is None:
            reason = (told.text.splitlines() or ["no answer"])[-1][:200]
            print(f"NOT CHECKED {name}: the data on vulnerabilities is out of reach ({reason})", flush=True)
        elif told.findings:
            print(f"FOUND {told.findings} in {name}:\n{told.text}", flush=True)
        else:
            print(f"clean {name}", flush=True)
        found += told.findings or 0
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
