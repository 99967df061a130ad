"""The client as a distribution of its own: built, installed without a network, and run by its name."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import rejoin
from tests.processes import ROOT

CLIENT = ROOT / "client"
PURE = ["answer_text", "calls", "errors", "events", "resumption", "command/cleaner", "command/shown"]
"""What does nothing but think: it imports no more than these of the standard library, and each other."""
PURE_STDLIB = {"collections", "dataclasses", "json", "re", "secrets", "typing", "urllib"}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, ours by their full names, others by their first."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are by full names"
            found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {each if each.startswith("rejoin") else each.split(".")[0] for each in found}


def test_it_needs_httpx2_alone_and_nothing_of_the_services() -> None:
    files = list((CLIENT / "rejoin").rglob("*.py"))
    assert len(files) > 10
    outside = {each.split(".")[0] for path in files for each in imported(path)} - set(sys.stdlib_module_names)
    assert outside == {"rejoin", "httpx2"}


def test_what_is_pure_does_nothing_but_think() -> None:
    for name in PURE:
        outside = {each for each in imported(CLIENT / "rejoin" / f"{name}.py") if not each.startswith("rejoin")}
        assert outside <= PURE_STDLIB, name


def test_the_library_does_not_know_its_command() -> None:
    for path in (CLIENT / "rejoin").glob("*.py"):
        if path.name != "__main__.py":
            assert not {each for each in imported(path) if each.startswith("rejoin.command")}, path


def test_all_that_is_named_is_there() -> None:
    assert sorted(rejoin.__all__) == rejoin.__all__
    assert all(hasattr(rejoin, name) for name in rejoin.__all__)


def test_it_is_installed_by_pip_with_its_types_and_its_command(tmp_path: Path) -> None:
    source, target = tmp_path / "client", tmp_path / "installed"
    # A build leaves its traces in the source.
    shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    # What it needs stands in this environment: nothing is fetched.
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    subprocess.run(pip, check=True, timeout=60, cwd=tmp_path)
    assert (target / "rejoin" / "py.typed").is_file()
    environ = {**os.environ, "PYTHONPATH": str(target)}
    told = subprocess.run(
        [target / "bin" / "rejoin", "--help"], env=environ, capture_output=True, text=True, timeout=30, check=True
    )
    assert "rejoin [-h]" in told.stdout
    assert "130 for Ctrl-C" in told.stdout
