"""One seed in one house: tell its stories, break what it breaks, heal everything, let it settle, judge."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from shared import keys
from shared.view import Answer
from tests.chaos import breaking, verdict
from tests.chaos.breakages import TAIL, Breakage
from tests.chaos.finding import Finding
from tests.chaos.house import House
from tests.chaos.plan import Plan
from tests.chaos.tally import Tally
from tests.chaos.telling import Telling
from tests.chaos.vendor import Vendor
from tests.processes import until
from tests.system.invariant import holds

SETTLES_WITHIN_S = 30.0
"""Four leases, the longest answer told anew twice, and a slow machine."""

NO_GROUPS_WITHIN_S = 20.0
"""One beat of a consume process, which looks whether Redis has forgotten that they were destroyed."""

_COSTS_A_PRODUCER = ("generate kill -9", "generate paused", "wire held", "replies lost", "wire refused")


class Seed:
    """A plan being carried out."""

    def __init__(self, plan: Plan, house: House, vendor: Vendor, tally: Tally) -> None:
        self.findings: list[Finding] = []
        self._plan = plan
        self._house = house
        self._vendor = vendor
        self._tally = tally
        forgetful = any(breakage.kind == TAIL for breakage in plan.breakages)
        self._tellings = [Telling(story, house, forgetful=forgetful) for story in plan.stories]

    async def run(self) -> None:
        """From the first prompt to the verdict."""
        for story in self._plan.stories:
            self._vendor.prompts.update({turn.prompt: turn.script for turn in story.turns})
        await asyncio.gather(
            *(self._noted(telling.story.session, telling.tell()) for telling in self._tellings),
            *(self._noted("", self._broken(breakage)) for breakage in self._plan.breakages),
        )
        began = time.monotonic()
        for place in self._house.places:
            await place.wire.heal()
        await asyncio.gather(*(self._noted(each.story.session, self._settled(each)) for each in self._tellings))
        self._tally.settled_s.append(time.monotonic() - began)
        for telling in self._tellings:
            await telling.close()
            await self._noted(telling.story.session, telling.told_the_end())
        await self._house_settled()
        for telling in self._tellings:
            await self._noted(telling.story.session, self._judge(telling))

    async def _noted(self, session: str, work: Awaitable[Any]) -> None:
        """What fails to come in time, or breaks, is a finding."""
        try:
            await work
        except TimeoutError as error:
            where = error.__cause__.__traceback__ if error.__cause__ else error.__traceback__
            while where and where.tb_next:
                where = where.tb_next
            at = f"{where.tb_frame.f_code.co_qualname} line {where.tb_lineno}" if where else ""
            self.findings.append(Finding("hung", session, f"in {getattr(work, '__qualname__', work)}: {at}"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other seeds go on
            self.findings.append(Finding("broken", session, f"{type(error).__name__}: {error}"))

    async def _broken(self, breakage: Breakage) -> None:
        await asyncio.sleep(breakage.at_s)
        self._tally.faults[breakage.kind] += 1
        await breaking.do(self._house, breakage)

    async def _settled(self, telling: Telling) -> None:
        async with asyncio.timeout(SETTLES_WITHIN_S):
            await telling.watched()
            await until(lambda: self._left_alone(telling), SETTLES_WITHIN_S, every_s=0.1)

    async def _left_alone(self, telling: Telling) -> bool:
        """Whether nothing works for this story any more."""
        session, client = telling.story.session, self._house.client
        busy = sum(self._vendor.answering.get(turn.prompt, 0) for turn in telling.story.turns)
        return not busy and await telling.ended() and await client.zscore(keys.RUNNING, session) is None

    async def _house_settled(self) -> None:
        for place in self._house.places:
            await place.alone()
            self.findings += [Finding("left over", "", text) for text in place.unclean]
            place.unclean.clear()
            self._tally.nudges_lost += place.wire.swallowed
            place.wire.swallowed = 0
        self.findings += [
            Finding("broken", "", f"logged as an error: {line[:300]}") for line in self._house.new_errors()
        ]
        for telling in self._tellings:
            session = telling.story.session
            try:
                await until(lambda session=session: self._no_groups(session), NO_GROUPS_WITHIN_S, every_s=0.1)
            except TimeoutError:
                groups = await self._house.groups(session)
                self.findings.append(Finding("left over", session, f"groups {groups}"))

    async def _no_groups(self, session: str) -> bool:
        """Whether no group is left; those of processes that are gone are swept here, a minute before others would."""
        living = await self._house.living()
        groups = await self._house.groups(session)
        for name in groups:
            if keys.instance_of(name) not in living:
                self._tally.groups_of_the_dead += 1
                await self._house.client.xgroup_destroy(keys.log(session), name)
        return not groups

    async def _judge(self, telling: Telling) -> None:
        story, client = telling.story, self._house.client
        self.findings += [Finding(kind, story.session, text) for kind, text in telling.faults]
        for watcher in telling.watchers:
            self._tally.viewers[watcher.watch.manner] += 1
            self._tally.reconnects += watcher.reconnects
            self._tally.resets += watcher.resets
        entries = await client.xrange(keys.log(story.session))
        meta = await client.hgetall(keys.meta(story.session))
        if telling.deleted:
            self._tally.answers["deleted"] += 1
            self.findings += verdict.of_deleted(story.session, telling.watchers, entries, meta)
            return
        log = verdict.folded(entries)
        self._tally.answers.update(verdict.outcome(answer) for answer in log.answers.values())
        self._tally.takeovers += verdict.takeovers(entries)
        possible = sum(each.kind in _COSTS_A_PRODUCER for each in self._plan.breakages) > 1
        self.findings += verdict.of_log(story, entries, losses_possible=possible)
        for watcher in telling.watchers:
            self.findings += verdict.of_viewer(story.session, watcher, log)
        if story.session not in {finding.session for finding in self.findings}:
            await self._as_everywhere(telling, [*log.answers.values()])

    async def _as_everywhere(self, telling: Telling, answers: list[Answer]) -> None:
        """The invariant of all fault tests; what the log may have of the vendor's words has been judged before."""
        stayed = [watcher for watcher in telling.watchers if watcher.watch.manner != "vanishing"]
        text, reasoning = ("".join(getattr(each, what) for each in answers) for what in ("text", "reasoning"))
        status = answers[-1].status
        await holds(self._house.client, telling.story.session, stayed, text, status=status, reasoning=reasoning)
