"""Facts that tests of consume-stream wait for."""

from typing import Any

import httpx2

from shared import keys
from tests.processes import Service, until
from tests.viewing import Viewer

DEADLINE_S = 10.0


async def has_frames(viewer: Viewer, number: int) -> None:
    """Wait until a viewer has so many frames."""

    async def so_many() -> bool:
        return len(viewer.frames) >= number

    await until(so_many, DEADLINE_S)


async def hears(viewer: Viewer, content: str, seconds: float) -> None:
    """Wait until the newest frame of a viewer has this content."""

    async def heard() -> bool:
        return bool(viewer.frames) and viewer.frames[-1].event.get("content") == content

    await until(heard, seconds)


async def metric(service: Service, name: str) -> float:
    """A value of /metrics; 0 where it has not been counted yet."""
    async with httpx2.AsyncClient(verify=False) as client:
        text = (await client.get(f"{service.url}/metrics")).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")))


async def viewers_are(service: Service, number: int) -> None:
    """Wait until a process has exactly so many viewers."""

    async def so_many() -> bool:
        return await metric(service, "rejoin_viewers") == number

    await until(so_many, DEADLINE_S)


async def groups(redis_client: Any, session: str) -> list[str]:
    """The names of a log's groups."""
    return [group["name"] for group in await redis_client.xinfo_groups(keys.log(session))]


async def number_of_groups(redis_client: Any, session: str, number: int) -> None:
    """Wait until a log has so many groups."""

    async def so_many() -> bool:
        return len(await groups(redis_client, session)) == number

    await until(so_many, DEADLINE_S)


async def no_groups(redis_client: Any, session: str) -> None:
    """Wait until a log has no group."""
    await number_of_groups(redis_client, session, 0)
