"""Telling one story: its prompts are sent, its buttons pressed, its viewers watch, each as a client in the field."""

import asyncio
import random
from typing import Any

import httpx2
from redis.exceptions import RedisError

from shared import keys
from shared.events import TERMINAL
from tests.chaos.finding import Kind
from tests.chaos.house import House
from tests.chaos.plan import Story, Turn
from tests.chaos.stuck import Stuck
from tests.chaos.watcher import Watcher
from tests.processes import until

CALL_TIMEOUT_S = 8.0
GIVES_UP_S = 40.0
_PRESSES_AGAIN_S = 0.1


class Telling:
    """One story as it happens in one house."""

    def __init__(self, story: Story, house: House, *, forgetful: bool) -> None:
        self.story = story
        self.deleted = False
        self.faults: list[tuple[Kind, str]] = []
        self._house = house
        self._in_vain = {503, 409, 404} if forgetful else {503}
        """What says "try again". Where Redis forgets, also that an answer is still running whose end it has forgotten,
        and that there is no session, until the writer whose beginning it has forgotten has written that again."""
        self._dice = random.Random(story.session)
        self.watchers = [
            Watcher(watch, story.session, len(story.turns), house.consume, f"{story.session} {at}", forgetful=forgetful)
            for at, watch in enumerate(story.watches)
            if watch.manner != "stuck"
        ]
        self.stuck = [Stuck(watch, story.session, house.consume) for watch in story.watches if watch.manner == "stuck"]
        self.refused_as_full = 0
        self._watching: dict[Watcher, asyncio.Task[None]] = {}
        self._sticking: list[asyncio.Task[None]] = []

    async def tell(self) -> None:
        """Everything that the clients of this story do, but for the watching to the end."""
        self._watch(early=True)
        await asyncio.sleep(self.story.at_s)
        await self._ask()
        self._watch(early=False)
        self._sticking = [asyncio.create_task(stuck.connect()) for stuck in self.stuck]
        presses = [self._stop(at_s) for at_s in self.story.stops_at_s]
        await asyncio.gather(*presses, self._delete(), *(self._ask_again(turn) for turn in self.story.turns[1:]))

    async def watched(self) -> None:
        """Wait until every viewer is through; of a deleted session some wait for a next life that never comes."""
        for watcher, task in self._watching.items():
            if not (self.deleted and watcher.watch.follow == "session" and not watcher.view.answers):
                await task

    async def ended(self) -> bool:
        """Whether the session is as it will stay: its last answer has its end, or it is deleted."""
        held = await self._house.client.hmget(keys.meta(self.story.session), "status", "generation")
        return held[0] == "deleted" or (held[0] in TERMINAL and held[1] == str(len(self.story.turns)))

    async def told_the_end(self) -> None:
        """Whoever comes again after the end hears that there is nothing more, or nothing at all."""
        watcher = next((each for each in self.watchers if each.watch.follow == "answer" and each.ends), None)
        if watcher and watcher.watch.manner != "vanishing":
            status = await watcher.comes_again()
            if status != (404 if self.deleted else 204):
                self.faults.append(("wrong", f"{watcher} came again after the end and got {status}"))

    async def close(self) -> None:
        """Hang up whoever still reads."""
        for task in self._watching.values():
            task.cancel()
        await asyncio.gather(*self._watching.values(), return_exceptions=True)

    async def hang_up(self) -> None:
        """Give up also the connections that nobody reads from."""
        for task in self._sticking:
            task.cancel()
        await asyncio.gather(*self._sticking, return_exceptions=True)
        for stuck in self.stuck:
            stuck.close()

    def _watch(self, *, early: bool) -> None:
        for watcher in self.watchers:
            if (watcher.watch.manner == "early") is early:
                self._watching[watcher] = asyncio.create_task(watcher.run())

    async def _ask(self) -> None:
        turn = self.story.turns[0]
        answers = await asyncio.gather(*(self._start(turn) for _ in range(self.story.posts)))
        if set(answers) != {1}:
            self.faults.append(("doubled", f"POSTs with one key began generations {answers}"))

    async def _ask_again(self, turn: Turn) -> None:
        async def first_ended() -> bool:
            try:
                status = await self._house.client.hget(keys.meta(self.story.session), "status")
            except RedisError:
                return False
            return status in TERMINAL

        await until(first_ended, GIVES_UP_S, every_s=0.1)
        if (generation := await self._start(turn)) != 2:
            self.faults.append(("doubled", f"the second prompt began generation {generation}"))

    async def _start(self, turn: Turn) -> int:
        body = {"sessionId": self.story.session, "prompt": turn.prompt, "provider": turn.provider}
        reply = await self._call("generate-stream", body, {202}, {"Idempotency-Key": turn.prompt})
        return int(reply.json()["generation"])

    async def _stop(self, at_s: float) -> None:
        await asyncio.sleep(at_s)
        generation: dict[str, Any] = {"generation": 1} if self._dice.random() < 0.5 else {}
        await self._call("stop-stream", {"sessionId": self.story.session, **generation}, {200, 202})

    async def _delete(self) -> None:
        if self.story.deleted_at_s is not None:
            await asyncio.sleep(self.story.deleted_at_s)
            await self._call("delete-stream", {"sessionId": self.story.session}, {204})
            self.deleted = True

    async def _call(
        self, route: str, body: dict[str, Any], wanted: set[int], headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Call any process of generate-stream until one gives an answer that counts. Raises TimeoutError."""
        async with asyncio.timeout(GIVES_UP_S), httpx2.AsyncClient(timeout=CALL_TIMEOUT_S, verify=False) as client:
            while True:
                url = self._dice.choice(self._house.generate).service.url
                try:
                    reply = await client.post(f"{url}/api/{route}", json=body, headers=headers or {})
                except httpx2.TransportError:
                    reply = None
                if reply is not None and reply.status_code in wanted:
                    return reply
                self.refused_as_full += reply is not None and "storage_full" in reply.text
                if reply is not None and reply.status_code not in self._in_vain:
                    self.faults.append(("broken", f"{route} answered {reply.status_code}: {reply.text[:200]}"))
                await asyncio.sleep(_PRESSES_AGAIN_S)
