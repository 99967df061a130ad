"""Judging one story: its log, its viewers, and what its seed makes possible."""

from collections.abc import Iterator

from shared import keys
from shared.view import Answer
from tests.chaos import verdict
from tests.chaos.breakages import TAIL, Kind
from tests.chaos.finding import Finding
from tests.chaos.house import LEASE_S, House
from tests.chaos.plan import Plan
from tests.chaos.tally import Tally
from tests.chaos.telling import Telling
from tests.system.invariant import holds

_COSTS_A_PRODUCER: tuple[Kind, ...] = (
    "generate kill -9",
    "generate paused",
    "generate outlived",
    "generate back in time",
    "wire held",
    "replies lost",
    "wire refused",
)

_ENDS_LEASES: tuple[Kind, ...] = (
    "generate SIGTERM",
    "clock set ahead",
    "clock set back",
    "failover ahead",
    "failover back",
)
"""A release is a lease that its writer has ended; another clock says another time than that of the entries."""


async def judged(plan: Plan, telling: Telling, house: House, tally: Tally) -> list[Finding]:
    """What is wrong with a story. What is right is counted."""
    session = telling.story.session
    findings = [Finding(kind, session, text) for kind, text in telling.faults]
    for watcher in telling.watchers:
        tally.viewers[watcher.watch.manner] += 1
        tally.reconnects += watcher.reconnects
        tally.resets += watcher.resets
    entries = await house.client.xrange(keys.log(session))
    if telling.deleted:
        tally.answers["deleted"] += 1
        meta = await house.client.hgetall(keys.meta(session))
        return [*findings, *verdict.of_deleted(session, telling.watchers, entries, meta)]
    log = verdict.folded(entries)
    tally.answers.update(verdict.outcome(answer) for answer in log.answers.values())
    tally.takeovers += verdict.takeovers(entries)
    findings += _findings(plan, telling, entries)
    if not findings:
        await _as_everywhere(house, telling, [*log.answers.values()])
    return findings


def _findings(plan: Plan, telling: Telling, entries: verdict.Entries) -> Iterator[Finding]:
    broken = [breakage.kind for breakage in plan.breakages]
    possible = sum(kind in _COSTS_A_PRODUCER for kind in broken) > 1
    lease_ms = 0 if any(kind in _ENDS_LEASES for kind in broken) else LEASE_S * 1000
    yield from verdict.of_log(telling.story, entries, losses_possible=possible, lease_ms=lease_ms)
    may_reset = TAIL in broken
    log = verdict.folded(entries)
    for watcher in telling.watchers:
        yield from verdict.of_viewer(telling.story.session, watcher, log, may_reset=may_reset)


async def _as_everywhere(house: House, telling: Telling, answers: list[Answer]) -> None:
    """The invariant of all fault tests; what the log may have of the vendor's words has been judged before."""
    stayed = [watcher for watcher in telling.watchers if watcher.watch.manner != "vanishing"]
    text, reasoning = ("".join(getattr(each, what) for each in answers) for what in ("text", "reasoning"))
    await holds(house.client, telling.story.session, stayed, text, status=answers[-1].status, reasoning=reasoning)
