"""The texts of the repository: every file that a person wrote or that is locked, none that a tool leaves behind."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def texts(pattern: str = "*") -> Iterator[tuple[Path, str]]:
    """Each text file whose name matches, with its content."""
    for path in sorted(_files(ROOT, _ignored())):
        if path.match(pattern):
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture


def _ignored() -> set[str]:
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return {".git"} | {line.strip("/ ") for line in lines if line.strip()}


def _files(directory: Path, ignored: set[str]) -> Iterator[Path]:
    for path in directory.iterdir():
        if any(path.match(pattern) for pattern in ignored):
            continue
        if path.is_dir():
            yield from _files(path, ignored)
        elif path.is_file():
            yield path
