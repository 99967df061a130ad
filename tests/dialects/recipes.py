"""The recipes of the docs: each fenced text under `<!-- recipe: name -->`, and how its reader would run it."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy import node
from tests.docs.texts import ROOT

PAGE = ROOT / "docs/recipes.md"
PLACE = "127.0.0.1:8000"
SESSION = "my-session"
_BLOCK = re.compile(r"^(?:<!-- recipe: (?P<name>[\w-]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_SECONDS = 60


class Recipe(NamedTuple):
    """One text of the page."""

    name: str
    language: str
    text: str


def recipes() -> list[Recipe]:
    """All texts of the page, in their order; one that lacks a name has an empty one."""
    return [
        Recipe(found["name"] or "", found["language"], found["text"]) for found in _BLOCK.finditer(PAGE.read_text())
    ]


def recipe(name: str) -> Recipe:
    """One of them."""
    return next(each for each in recipes() if each.name == name)


async def run(recipe: Recipe, origin: str, session: str, directory: Path, clients: Path, *arguments: str) -> str:
    """Run a text as its reader would, its address and session replaced; returns what it printed, errors as well."""
    text = recipe.text.replace(PLACE, origin.partition("://")[2]).replace(SESSION, session)
    # What a reader has installed is on their path, and nothing of theirs is changed.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    known = {"PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'client'}", "LLM_USER_PATH": str(directory)}
    environ = {**os.environ, **known, "PYTHONUNBUFFERED": "1"}
    command = [*_command(recipe.language, text, directory, clients), *arguments]
    return await said(command, directory, environ)


async def said(command: Sequence[str], directory: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run a program to its good end; returns what it printed, errors as well."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdout=pipe, stderr=subprocess.STDOUT, cwd=directory, env=environ
    )
    try:
        async with asyncio.timeout(_SECONDS):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


def _command(language: str, text: str, directory: Path, clients: Path) -> list[str]:
    match language:
        case "sh":
            return ["bash", "-euo", "pipefail", "-c", text]
        case "python":
            (directory / "recipe.py").write_text(text)
            return [sys.executable, "recipe.py"]
        case _:
            # A browser has EventSource and WebSocket; Node has them when it is told so.
            (directory / "recipe.mjs").write_text(text)
            (directory / "node_modules").symlink_to(clients / "node_modules")
            given = ("--no-warnings", "--experimental-eventsource", "--experimental-websocket")
            return [str(node.node()), *given, "recipe.mjs"]
