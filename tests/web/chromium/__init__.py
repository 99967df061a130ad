"""Chromium: the one without a head of the npm package `@sparticuz/chromium`, the same on every machine.

It takes half of what a whole browser takes of a processor. CHROMIUM=<program> tries another.
"""

import fcntl
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from deploy import node

_HERE = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PACKED_FOR = ("Linux", "x86_64")
_UNPACKED = _HERE / "node_modules/.unpacked"
_LIKE_LAMBDA = {"AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
"""The one machine for which the package unpacks the libraries, too, that a bare system lacks."""


class Chromium(NamedTuple):
    """A browser's program, and what its environment needs beside our own."""

    path: str
    environ: dict[str, str]


def chromium() -> Chromium:
    """What is asked for, else the package's, else the machine's own where that is for other machines.

    Raises RuntimeError without Node, CalledProcessError where npm or its package fails.
    """
    if asked := os.environ.get("CHROMIUM"):
        return Chromium(asked, {})
    own = None if (platform.system(), platform.machine()) == _PACKED_FOR else whole()
    return own or _packed()


def whole() -> Chromium | None:
    """The machine's own, which does what only a browser with a head does; None where there is none."""
    own = next(filter(None, map(shutil.which, _NAMES)), None)
    return Chromium(own, {}) if own else None


def _packed() -> Chromium:
    node.install(_HERE)
    with (_HERE / "package.json").open() as held:
        # Another worker that wants the same waits, and finds it unpacked.
        fcntl.flock(held, fcntl.LOCK_EX)
        if not _UNPACKED.exists():
            _unpack()
    # By LD_LIBRARY_PATH they would come before the machine's own, and be older: so they come only where those lack.
    libraries = _UNPACKED / "al2023/lib"
    environ = {"FONTCONFIG_FILE": str(_HERE / "fonts.conf")}
    if not _starts(environ):
        environ["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, (str(libraries), os.environ.get("LD_LIBRARY_PATH"))))
    return Chromium(str(_UNPACKED / "chromium"), environ)


def _unpack() -> None:
    # Elsewhere first, and put into its place whole: what was cut is done again.
    partial = _UNPACKED.with_name(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    environ = {**os.environ, **_LIKE_LAMBDA, "TMPDIR": str(partial)}
    subprocess.run([node.node(), "unpack.js"], cwd=_HERE, env=environ, check=True)
    partial.rename(_UNPACKED)


def _starts(environ: dict[str, str]) -> bool:
    command = [str(_UNPACKED / "chromium"), "--version"]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, check=False).returncode == 0
