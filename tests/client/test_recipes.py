"""What README shows of the client and the command does what it says there."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.client.running import environment
from tests.docs.settings_table import README

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

_BLOCK = re.compile(r"<!-- run by tests/client/test_recipes\.py -->\n```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = dict(_BLOCK.findall(README.read_text("utf-8")))


async def run(command: list[str], home: dict[str, str], directory: Path) -> str:
    """Run it; what it printed."""
    null, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=home, cwd=directory, stdin=null, stdout=pipe)
    async with asyncio.timeout(30):
        said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_the_recipe_for_python(origin: str, tmp_path: Path) -> None:
    recipe = BLOCKS["python"].replace("http://127.0.0.1:8000", origin)
    said = await run([sys.executable, "-c", recipe], environment(origin, tmp_path), tmp_path)
    answer, second = re.split(r"\d{13}-\d+\n", said)
    assert answer == second.removesuffix("\n") != ""


async def test_the_recipe_for_the_shell(origin: str, tmp_path: Path, session: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, does in (("rejoin", f'exec {sys.executable} -m rejoin "$@"'), ("git", "echo a commit")):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    home = environment(origin, tmp_path)
    home["PATH"] = f"{programs}:{home['PATH']}"
    recipe = BLOCKS["sh"].replace("my-first-talk", session)
    said = await run(["bash", "-euo", "pipefail", "-c", recipe], home, tmp_path)
    answer, first, second = said.splitlines()
    assert (tmp_path / "summary.md").read_text("utf-8") == f"{answer}\n"
    # The newest first.
    assert "What was this about? a commit" in first
    assert second.startswith(session)
    assert "completed" in second
