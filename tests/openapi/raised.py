"""Which refusals the sources can raise, read from the sources themselves."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.docs.texts import ROOT

Refusal = tuple[int, str]
"""A status and a code."""


@functools.cache
def refusals(*folders: str) -> set[Refusal]:
    """Every call whose first two arguments are a status of an error and a code, in all modules of these folders."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {refusal for path in files for refusal in _in(path)}


def _in(path: Path) -> Iterator[Refusal]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        match node.args:
            # One that is made of a name is named by the test itself.
            case [ast.Constant(int(status)), ast.Constant(str(code)), *_] if 400 <= status < 600:
                yield status, code
