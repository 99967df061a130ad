"""Whether this process should get work: it is not draining, and Redis answers."""

import asyncio
import logging
import time

from redis.exceptions import RedisError

from shared import logs, metrics
from shared.server_clock import ServerClock
from shared.wires import Wires

_log = logging.getLogger(__name__)

AWAY_S = 10.0
"""How long Redis may be away before the process says that it is not ready. Shorter breaks are ridden out."""

_ASK_EVERY_S = 1.0


class Health:
    """Asks Redis what time it is for as long as the process lives."""

    def __init__(self, wires: Wires) -> None:
        self.draining = False
        self.clock = ServerClock()
        self._wires = wires
        self._last_answer = time.monotonic() - AWAY_S
        self._task = asyncio.create_task(self._look(), name="health")

    def not_ready(self) -> str | None:
        """Why this process should get no new work; None when it should."""
        if self.draining:
            return "draining"
        if time.monotonic() - self._last_answer >= AWAY_S:
            return "redis_unavailable"
        return None

    async def close(self) -> None:
        """Ask no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        away = False
        while True:
            was_away = away
            try:
                await self._ask()
                away = False
            except RedisError as error:
                away = True
                metrics.REDIS_UP.set(0)
                # What answers next may be another server.
                self.clock.forget()
                if not was_away:
                    logs.warning(_log, "Redis is away", cause=str(error))
            if was_away and not away:
                logs.info(_log, "Redis is back")
            await asyncio.sleep(_ASK_EVERY_S)

    async def _ask(self) -> None:
        asked_at, asked = time.time(), time.monotonic()
        told = await self._wires.clocks()
        self._last_answer = time.monotonic()
        # Of several nodes any will do: they keep the same time, as far as anybody keeps it.
        self.clock.told(min(told.values()) / 1000, asked_at, time.time())
        metrics.REDIS_ROUND_TRIP.observe(self._last_answer - asked)
        metrics.REDIS_UP.set(len(told) / len(self._wires.redis.nodes()))
