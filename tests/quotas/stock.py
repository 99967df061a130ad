"""What a subject of quotas has in Redis, as a test sees it."""

from typing import Any

from shared import keys
from tests.processes import until

DEADLINE_S = 10.0


class Stock:
    """The keys of one subject."""

    def __init__(self, client: Any, subject: str) -> None:
        self.client = client
        self.subject = subject

    def key(self, what: str) -> str:
        """Of `starts`, `running`, `tokens` or `viewers`."""
        return keys.quota(self.subject, what)

    async def scores(self, what: str) -> dict[str, float]:
        """The members of a set, with their scores (ms)."""
        return dict(await self.client.zrange(self.key(what), 0, -1, withscores=True))

    async def are(self, what: str, number: int, seconds: float = DEADLINE_S) -> None:
        """Wait until a set has so many members whose time is not over."""

        async def so_many() -> bool:
            now = await now_ms(self.client)
            return sum(till > now for till in (await self.scores(what)).values()) == number

        await until(so_many, seconds)

    async def tokens(self) -> int:
        """Of today."""
        return int(await self.client.get(self.key("tokens")) or 0)

    async def pass_by(self, what: str, seconds: float) -> None:
        """As if so much time had passed for the members of a set."""
        for member, till in (await self.scores(what)).items():
            await self.client.zadd(self.key(what), {member: till - seconds * 1000})

    async def clear(self) -> None:
        """As if the subject had never asked."""
        for what in ("starts", "running", "tokens", "viewers"):
            await self.client.delete(self.key(what))


async def now_ms(client: Any) -> float:
    """The server's clock."""
    seconds, micros = await client.time()
    return float(seconds * 1000 + micros / 1000)
