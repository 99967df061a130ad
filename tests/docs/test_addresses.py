"""No file names the index that a package came from: a lock is by hash, and true wherever the package is found."""

import re
from pathlib import Path

import pytest

from tests.docs.texts import ROOT, texts

_INDEX = re.compile(
    r"""https?://[^\s"']*/simple\b | files\.pythonhosted\.[o]rg | registry\.(npmjs|yarnpkg)\.[a-z]+ | npm\.jsr\.[i]o
    | ^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)[\s=] | "resolved":\s*"http | file:///[a-z]""",
    re.VERBOSE | re.MULTILINE,
)
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def test_no_text_holds_the_address_of_an_index() -> None:
    found = {str(path.relative_to(ROOT)): match[0] for path, text in texts() if (match := _INDEX.search(text))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    # In pieces, for this file is searched as well.
    [
        "--index-url " + "https://example.com/",
        "https://example.com" + "/simple/x",
        '"resolved": ' + '"http://a/b"',
        "-f x",
    ],
)
def test_an_address_would_be_found(line: str) -> None:
    assert _INDEX.search(f"first\n{line}\n")


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.stem for lock in LOCKS])
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    wanted = re.compile(r"[a-z0-9-]+==\S+( ; [^\\]+?)? \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+\n")
    text = "".join(line for line in lock.read_text().splitlines(keepends=True) if not line.startswith("#"))
    assert wanted.sub("", text) == ""


def test_every_lock_has_the_versions_of_the_tests() -> None:
    pins = {lock.stem: set(re.findall(r"^\S+==\S+", lock.read_text(), re.MULTILINE)) for lock in LOCKS}
    assert {"consume", "dev", "generate", "node", "redis", "run"} == pins.keys()
    for name in ("consume", "generate", "run"):
        assert pins[name] <= pins["dev"]
