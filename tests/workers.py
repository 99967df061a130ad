"""How the tests are shared out among workers (`pytest -n`): by module and Redis, so that little is started twice."""

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = tuple(
    f"tests/{each}.py"
    for each in (
        "system/test_faults_away", "system/test_faults_clock", "system/test_faults_long", "system/test_faults_crowd",
        "web/test_scrolling",
    )
)  # fmt: skip
"""Modules that measure, or in which nobody may starve for a lease: they come last, when no other worker is busy."""

_REDIS = re.compile(r"[\[-]((?:redis|valkey)-\d+[.\d]*)[\]-]")


def redis_of(nodeid: str) -> str:
    """The name of the Redis that a test's own name tells; empty where it has none."""
    found = _REDIS.search(nodeid.partition("::")[2])
    return found[1] if found else ""


def put_in_order(items: list[pytest.Item]) -> None:
    """One Redis after the other, and what is quick last, so that no worker still has much to do when others are done.

    The tests of one module stay together, and in their order. Modules of each folder are spread evenly over those of
    the others: most wait, and those with a browser take all that the machine has, if every worker has one.
    """
    scopes = dict.fromkeys(_scope(item.nodeid) for item in items)
    folders: dict[object, list[tuple[str, str]]] = {}
    for module, redis in scopes:
        folders.setdefault((redis, module.split("/")[1]), []).append((module, redis))
    spread = {
        scope: ((number + 0.5) / len(folder), scope)
        for folder in folders.values()
        for number, scope in enumerate(folder)
    }

    def place(item: pytest.Item) -> tuple[object, ...]:
        name, (_, redis) = item.nodeid, (scope := _scope(item.nodeid))
        return name.startswith(ALONE), not redis, redis, spread[scope]

    items.sort(key=place)


def _scope(nodeid: str) -> tuple[str, str]:
    return nodeid.partition("::")[0], redis_of(nodeid)


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker takes a module on one Redis at a time, in the order of the tests: `put_in_order` has decided it."""

    def _split_scope(self, nodeid: str) -> str:
        return "alone" if nodeid.startswith(ALONE) else " ".join(_scope(nodeid))

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
