"""One seed in one house: tell its stories, break what it breaks, heal everything, let it settle, judge."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from shared import keys
from tests.chaos import breaking
from tests.chaos.breakages import TAIL, Breakage
from tests.chaos.finding import Finding
from tests.chaos.house import House
from tests.chaos.judging import judged
from tests.chaos.plan import Plan
from tests.chaos.tally import Tally
from tests.chaos.telling import Telling
from tests.chaos.vendor import Vendor
from tests.processes import until

SETTLES_WITHIN_S = 30.0
"""Four leases, the longest answer told anew twice, and a slow machine."""

LEFT_ALONE_LOOKS = 5
LOOKS_EVERY_S = 0.1
"""For longer than a beat in all: a writer that is refused again and again is not always in the index."""

NO_GROUPS_WITHIN_S = 20.0
"""One beat of a consume process, which looks whether Redis has forgotten that they were destroyed."""


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
        await self._noted("", self._only_stuck_dropped())
        for telling in self._tellings:
            await telling.hang_up()
            self._tally.refused_as_full += telling.refused_as_full
        for telling in self._tellings:
            await self._noted(telling.story.session, self._judged(telling))

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
        looks = 0

        async def long_enough() -> bool:
            nonlocal looks
            looks = looks + 1 if await self._left_alone(telling) else 0
            return looks == LEFT_ALONE_LOOKS

        async with asyncio.timeout(SETTLES_WITHIN_S):
            await telling.watched()
            await until(long_enough, SETTLES_WITHIN_S, every_s=LOOKS_EVERY_S)

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

    async def _only_stuck_dropped(self) -> None:
        """Who takes something, however slowly, is not dropped. That those who take nothing are, their groups tell."""
        dropped = await self._house.newly_dropped()
        stuck = sum(viewer.asked for telling in self._tellings for viewer in telling.stuck)
        self._tally.viewers["stuck"] += stuck
        self._tally.dropped += dropped
        if dropped > stuck:
            self.findings.append(Finding("wrong", "", f"{dropped} viewers were dropped, and only {stuck} never read"))

    async def _no_groups(self, session: str) -> bool:
        """Whether no group is left; those of processes that are gone are swept here, a minute before others would."""
        living = await self._house.living()
        groups = await self._house.groups(session)
        for name in groups:
            if keys.instance_of(name) not in living:
                self._tally.groups_of_the_dead += 1
                await self._house.client.xgroup_destroy(keys.log(session), name)
        return not groups

    async def _judged(self, telling: Telling) -> None:
        self.findings += await judged(self._plan, telling, self._house, self._tally)
