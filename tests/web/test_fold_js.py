"""The page's own fold, run by Node: the cases that it shares with the Python one, and its own."""

import subprocess
from pathlib import Path

import pytest

from tests.fakes.node import node

WEB = Path(__file__).parents[2] / "web"
CONTRACT = WEB.parent / "tests" / "contract"
TESTS = sorted(path.name for path in WEB.glob("*.test.js"))
NODE_S = 60.0


def run(name: str) -> subprocess.CompletedProcess[str]:
    """Run one test file; its report has a line for each test."""
    # Older Nodes take a file without a package.json for a module only when told to look into it.
    command = [str(node()), "--experimental-detect-module", "--test", "--test-reporter=tap", name]
    return subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=NODE_S, check=False)


def test_there_are_tests() -> None:
    assert "fold.test.js" in TESTS


@pytest.mark.parametrize("name", TESTS)
def test_what_node_is_asked_to_check_is_so(name: str) -> None:
    done = run(name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# fail 0\n" in done.stdout


def test_the_shared_cases_are_among_them() -> None:
    told = run("fold.test.js").stdout
    missing = [path.name for path in CONTRACT.glob("*.json") if f"- {path.name}: " not in told]
    assert missing == []
    assert list(CONTRACT.glob("*.json"))
