"""Whether this process should get work: it is not draining, and Redis answers."""

import asyncio
import logging
import time

from redis.exceptions import RedisError

from shared import logs
from shared.wires import Wires

_log = logging.getLogger(__name__)

AWAY_S = 10.0
"""How long Redis may be away before the process says that it is not ready. Shorter breaks are ridden out."""

_PING_EVERY_S = 1.0


class Health:
    """Pings Redis for as long as the process lives."""

    def __init__(self, wires: Wires) -> None:
        self.draining = False
        self._wires = wires
        self._last_answer = time.monotonic() - AWAY_S
        self._task = asyncio.create_task(self._ping(), name="health")

    def not_ready(self) -> str | None:
        """Why this process should get no new work; None when it should."""
        if self.draining:
            return "draining"
        if time.monotonic() - self._last_answer >= AWAY_S:
            return "redis_unavailable"
        return None

    async def close(self) -> None:
        """Stop pinging."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _ping(self) -> None:
        away = False
        while True:
            was_away = away
            try:
                await self._wires.ping()
                self._last_answer = time.monotonic()
                away = False
            except RedisError as error:
                away = True
                if not was_away:
                    logs.warning(_log, "Redis is away", cause=str(error))
            if was_away and not away:
                logs.info(_log, "Redis is back")
            await asyncio.sleep(_PING_EVERY_S)
