"""A watcher: a viewer that comes back, as the page's own client would, until it has seen the end or is told 404."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing

import httpx2

from shared import position
from shared.events import TERMINAL
from shared.position import NONE, Position
from tests.chaos.finding import Kind
from tests.chaos.narrow_line import narrow_line
from tests.chaos.place import Place
from tests.chaos.plan import Watch
from tests.viewing import Cut, Frame, Refused, Viewer

COMES_BACK_S = (0.02, 0.3)
SLOW_S = 0.03
TRICKLE_BYTES_PER_S = 120_000
"""Slow beside a replay; fast enough for something of one batch to be taken within the send timeout."""


class Watcher(Viewer):
    """One viewer of one story. Whatever breaks the contract is noted in `faults`, by kind."""

    def __init__(
        self, watch: Watch, session: str, turns: int, places: Sequence[Place], seed: str, *, forgetful: bool
    ) -> None:
        super().__init__("", session, watch.follow)
        self.watch = watch
        self.reconnects = 0
        self.resets = 0
        self.gone = False
        """It was told that there is no such session (any more)."""
        self.through = False
        """It has seen every end there is to see, or was told that the session is gone."""
        self.faults: list[tuple[Kind, str]] = []
        self._forgetful = forgetful
        self._turns = turns
        self._places = places
        self._dice = random.Random(seed)
        self._passed: Position = NONE

    def __str__(self) -> str:
        return f"{self.watch.manner} viewer (follow={self.watch.follow})"

    async def run(self) -> None:
        """Watch until through; a vanishing one only so far."""
        await asyncio.sleep(self.watch.at_s)
        while not self.through:
            hopped = await self._connected()
            if hopped and self.watch.manner == "vanishing":
                self.through = True
            elif not self.through:
                self.reconnects += 1
                await asyncio.sleep(self._dice.uniform(*COMES_BACK_S))

    async def comes_again(self) -> int:
        """The status of one more connection from where it stands; 200 for a stream."""
        self._url = self._dice.choice(self._places).service.url + "/api/consume-stream"
        try:
            await self.connect()
        except Refused as refused:
            return refused.response.status_code
        return 200

    def take(self, frame: Frame) -> None:
        """Fold a frame. What was sent already must never come again, unless a reset voids it."""
        if frame.event["type"] == "reset":
            self.resets += 1
            self._passed = NONE
            self.gone = frame.event["reason"] == "gone"
        elif frame.id:
            at = position.parse(frame.id)
            if at <= self._passed:
                self.faults.append(("doubled", f"{self} got {frame.id} after {self._passed}"))
            self._passed, self.gone = at, False
        super().take(frame)

    @property
    def ends(self) -> int:
        """How many generations it has seen the end of."""
        return sum(answer.status in TERMINAL for answer in self.view.answers.values())

    async def _connected(self) -> bool:
        """One connection to its end; whether this viewer has hung up itself."""
        service = self._dice.choice(self._places).service
        if self.watch.manner != "trickle":
            return await self._follow(service.url)
        async with narrow_line(service, TRICKLE_BYTES_PER_S) as url:
            return await self._follow(url)

    async def _follow(self, url: str) -> bool:
        self._url = f"{url}/api/consume-stream"
        leaves = self._leaving()
        try:
            async with aclosing(self.stream()) as frames:
                async for frame in frames:
                    if self.watch.manner == "slow":
                        await asyncio.sleep(SLOW_S)
                    self._look()
                    if self.through or leaves(frame):
                        return not self.through
            self._ended_cleanly()
        except (Cut, httpx2.TransportError):
            pass
        except Refused as refused:
            self._refused(refused.response)
        return False

    def _leaving(self) -> Callable[[Frame], bool]:
        """Whether to hang up after a frame: some hop or vanish after so many."""
        if self.watch.manner not in ("hopping", "vanishing"):
            return lambda _: False
        leave_at = len(self.frames) + self.watch.frames
        return lambda _: len(self.frames) >= leave_at

    def _look(self) -> None:
        self.through = self.gone or self.ends >= self._turns

    def _ended_cleanly(self) -> None:
        last = self.frames[-1].event if self.frames else {}
        if self.watch.follow == "session" or last.get("status") not in TERMINAL:
            self.faults.append(("lost", f"{self} was ended cleanly in mid-answer, after {self.last_id}"))

    def _refused(self, response: httpx2.Response) -> None:
        last = self.frames[-1].event if self.frames else {}
        match response.status_code:
            case 404 if self._forgetful and self.last_id is None:
                pass  # Redis has forgotten that it began, and who knows that it did comes again
            case 404:
                self.gone = self.through = True
            case 204:
                if last.get("status") not in TERMINAL:
                    self.faults.append(("lost", f"{self} got 204 in mid-answer, after {self.last_id}"))
            case 429 | 503:
                pass
            case status:
                self.faults.append(("broken", f"{self} got {status}: {response.text[:200]}"))
