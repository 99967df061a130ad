"""The doctor's report: what a service sees of Redis, for people who look for what is wrong. Off by default."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import nanoid
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared import keys
from shared.findings import as_json
from shared.redis import TIMEOUT_S
from shared.redis_facts import Command, RedisFacts, look
from shared.redis_url import redis_at
from shared.redis_verdicts import findings

_FRESH_S = 2.0

Probes = Callable[[str], Sequence[Command]]
"""The commands that show whether a service has its rights, for a session that does not exist."""


class Doctor:
    """Looks at Redis when it is asked, once in 2 s at most: its route is no way to burden anything."""

    def __init__(self, service: str, redis_url: str, probes: Probes, **facts: float) -> None:
        """`facts` are further members of each report."""
        self._service = service
        self._redis_url = redis_url
        self._probes = probes
        self._facts = facts
        self._seen: RedisFacts | None = None
        self._seen_at = 0.0
        self._looking = asyncio.Lock()

    async def report(self, request: Request) -> Response:
        """Facts and findings as JSON. Redis being away is one of them, and no error of this route."""
        seen = await self._look()
        told = {
            "service": self._service,
            "nowMs": time.time() * 1000,
            "httpVersion": request.scope["http_version"],
            **self._facts,
            "redis": asdict(seen),
            "findings": [as_json(finding) for finding in findings(seen, clustered="+cluster:" in self._redis_url)],
        }
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def _look(self) -> RedisFacts:
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen_at > _FRESH_S:
                self._seen = await self._examined(nanoid.generate())
                self._seen_at = time.monotonic()
            return self._seen

    async def _examined(self, session: str) -> RedisFacts:
        store = redis_at(self._redis_url, f"rejoin-doctor-{self._service}")
        await store.open()
        try:
            node = store.node(keys.log(session))
            return await look(lambda: store.connect(node), self._probes(session), TIMEOUT_S)
        finally:
            await store.close()
