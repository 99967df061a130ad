"""The page's client: its types hold, and its own tests pass, the cases that it shares with Python's fold among them."""

import subprocess
from pathlib import Path

import pytest

from deploy import node
from deploy.page import WEB

CONTRACT = Path(__file__).parents[1] / "contract"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """What the page is built with."""
    node.install(WEB)


def test_types_hold() -> None:
    node.npm(WEB, "run", "--silent", "check")


def test_what_vitest_is_asked_to_check_is_so(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        node.npm(WEB, "run", "--silent", "test", "--", "--reporter=verbose")
    except subprocess.CalledProcessError:
        pytest.fail(capfd.readouterr().out)
    told = capfd.readouterr().out
    cases = [path.name for path in CONTRACT.glob("*.json")]
    assert cases
    assert [name for name in cases if f"{name}: " not in told] == []
