"""The page: built from `web/` into `web/dist`, when anything there is newer than the last build.

python -m deploy.page
"""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy import node
from deploy.settings import ROOT

WEB = ROOT / "web"
DIST = WEB / "dist"
_BUILT = DIST / "rejoin.js"
"""The client, which is built last."""


def build() -> None:
    """Build it unless it is as new as what it is made of; raises CalledProcessError, and RuntimeError without Node."""
    with (WEB / "package.json").open() as held:
        # Two workers of a test run may want it at once: the second one waits, and finds it done.
        fcntl.flock(held, fcntl.LOCK_EX)
        if _is_new():
            return
        print("Building the page (once) …", flush=True)
        node.install(WEB)
        node.npm(WEB, "run", "--silent", "build")


def _is_new() -> bool:
    if not _BUILT.exists():
        return False
    built = _BUILT.stat().st_mtime
    return all(path.stat().st_mtime <= built for path in _sources())


def _sources() -> Iterator[Path]:
    yield from (path for path in WEB.iterdir() if path.is_file())
    for folder in ("src", "public"):
        yield from (path for path in (WEB / folder).rglob("*") if path.is_file())


def main() -> None:
    """Build; say in a line what went wrong."""
    try:
        build()
    except (RuntimeError, OSError) as error:
        sys.exit(f"the page can't be built: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"the page can't be built: {' '.join(map(str, error.cmd))} failed")


if __name__ == "__main__":
    main()
