"""How the tests are shared out among workers (`pytest -n`): by module and Redis, so that little is started twice."""

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = tuple(f"tests/system/test_{each}.py" for each in ("faults_away", "faults_clock", "faults_long", "faults_crowd"))
"""Modules that measure, or in which nobody may starve for a lease: they come last, when no other worker is busy."""

_REDIS = re.compile(r"[\[-]((?:redis|valkey)-\d+[.\d]*)[\]-]")


def redis_of(nodeid: str) -> str:
    """The name of the Redis that a test's own name tells; empty where it has none."""
    found = _REDIS.search(nodeid.partition("::")[2])
    return found[1] if found else ""


def put_in_order(items: list[pytest.Item]) -> None:
    """One Redis after the other, and what is quick last, so that no worker still has much to do when others are done.

    The tests of one module stay together, and in their order.
    """

    def place(item: pytest.Item) -> tuple[object, ...]:
        name, redis = item.nodeid, redis_of(item.nodeid)
        return name.startswith(ALONE), not redis, redis, not name.startswith("tests/system/")

    items.sort(key=place)


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker takes a module on one Redis at a time, in the order of the tests: `put_in_order` has decided it."""

    def _split_scope(self, nodeid: str) -> str:
        return "alone" if nodeid.startswith(ALONE) else f"{nodeid.partition('::')[0]} {redis_of(nodeid)}"

    def _reschedule(self, node: Any) -> None:
        if next(iter(self.workqueue), "") != "alone":
            super()._reschedule(node)
            return
        # A worker does its last test only when it knows what comes next. So all but one are told that nothing does.
        staying = [each for each in self.nodes if not each.shutting_down]
        others = [each for each in self.nodes if each.shutting_down]
        if len(staying) > 1:
            node.shutdown()
        elif staying and not any(self._pending_of(self.assigned_work[each]) for each in others):
            self._assign_work_unit(staying[0])
            staying[0].shutdown()
