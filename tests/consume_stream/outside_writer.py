"""A writer that is not ours: it adds entries by the contract, and knows nothing of generate-stream."""

import time
from typing import Any

from shared import keys

Fields = dict[str, Any]


class OutsideWriter:
    """Writes the log of one session, with ids of its own: `<ms>-<seq>` from seq 0 on, each attempt at a later ms.

    They begin `ahead_s` from now, by this machine's clock.
    """

    def __init__(self, redis_client: Any, session: str, ahead_s: float = 0.0) -> None:
        self.session = session
        self.generation = 0
        self.ids: list[str] = []
        """All that it has written, in order."""
        self._redis = redis_client
        self._ms = int((time.time() + ahead_s) * 1000)
        self._seq = 0

    async def begin(self, **fields: Any) -> str:
        """Add `started`; returns its id."""
        self.generation += 1
        self._ms, self._seq = self._ms + 1, 0
        started = {"type": "metadata", "status": "started", "generation": self.generation, "attempt": 1}
        told = {"prompt": "Hello?", "provider": "outside", "model": "m", "startedAt": "2026-01-01T00:00:00.000Z"}
        return (await self.add(started | told | fields))[0]

    async def take_over(self, attempt: int = 2) -> str:
        """Begin the generation anew, as another producer would; returns the id of its `started`."""
        self.generation -= 1
        return await self.begin(attempt=attempt)

    async def say(self, *words: str, kind: str = "chunk", nudge: bool = True) -> list[str]:
        """Add words, an entry each; returns their ids."""
        head = {"type": kind, "generation": self.generation}
        said = [head | {"content": word, "ms": self._seq + number} for number, word in enumerate(words)]
        return await self.add(*said, nudge=nudge)

    async def end(self, status: str = "completed", **fields: Any) -> str:
        """Add the terminal entry; returns its id."""
        head = {"type": "metadata", "status": status, "generation": self.generation, "ms": 9, "durationMs": 9}
        return (await self.add(head | fields))[0]

    async def answer(self, *words: str, **fields: Any) -> list[str]:
        """Add a whole generation; returns the ids of its entries."""
        return [await self.begin(), *await self.say(*words), await self.end(**fields)]

    async def add(self, *entries: Fields, nudge: bool = True) -> list[str]:
        """Add entries as they are, in one step with a nudge; returns their ids."""
        ids = [f"{self._ms}-{self._seq + number}" for number in range(len(entries))]
        self._seq += len(entries)
        log = keys.log(self.session)
        async with self._redis.pipeline(transaction=True) as step:
            for at, fields in zip(ids, entries, strict=True):
                step.xadd(log, fields, id=at)
            if nudge:
                step.publish(log, "")
            await step.execute()
        self.ids += ids
        return ids
