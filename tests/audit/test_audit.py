"""An audit that could not look says so: only data that knows of bad packages makes a lock clean."""

import pytest

from tests.audit.__main__ import vulnerable

CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "1", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


def test_findings_are_counted() -> None:
    assert vulnerable({"dependencies": [CLEAN]}) == 0
    assert vulnerable({"dependencies": [CLEAN, BAD]}) == 2
    assert vulnerable({"dependencies": [SKIPPED, BAD]}) == 2


def test_what_was_left_out_is_not_clean() -> None:
    with pytest.raises(ValueError, match="not found"):
        vulnerable({"dependencies": [CLEAN, SKIPPED]})
