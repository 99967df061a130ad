"""So many viewers and no more; and whatever their number, a process has the same few connections to Redis."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import nanoid
import pytest

from shared import keys
from tests.consume_stream.facts import viewers_are
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw
from tests.processes import Service, Services

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def watching(service: Service, *sessions: str) -> AsyncIterator[None]:
    """A viewer of each of these sessions, inside."""
    async with contextlib.AsyncExitStack() as viewers:
        for session in sessions:
            viewer = await viewers.enter_async_context(raw(service, {"sessionId": session, "follow": "session"}))
            assert viewer.response.status_code == 200
            await viewer.has(b": ping\n")
        yield


async def refusal(service: Service, session: str) -> tuple[int, str, str]:
    """How one more viewer is turned away: status, code, Retry-After."""
    async with httpx2.AsyncClient(verify=False) as client:
        query = {"sessionId": session, "follow": "session"}
        response = await client.get(f"{service.url}/api/consume-stream", params=query)
    return response.status_code, response.json()["error"]["code"], response.headers["retry-after"]


async def test_a_session_has_so_many_viewers_and_a_process_so_many_in_all(narrow: Service, session: str) -> None:
    other = str(nanoid.generate())
    for _ in range(2):
        async with watching(narrow, session, session):
            assert await refusal(narrow, session) == (429, "too_many_viewers_of_session", "1")
            async with watching(narrow, other):
                assert await refusal(narrow, session) == (503, "too_many_viewers", "1")
                assert await refusal(narrow, other) == (503, "too_many_viewers", "1")
            await viewers_are(narrow, 2)
        # Who leaves makes room.
        await viewers_are(narrow, 0)


async def test_only_viewers_take_places(narrow: Service, writer: OutsideWriter, session: str) -> None:
    await writer.answer("One.")
    url = f"{narrow.url}/api/consume-stream"
    async with httpx2.AsyncClient(verify=False) as client:
        for _ in range(4):
            assert (await client.head(url, params={"sessionId": session, "follow": "session"})).status_code == 200
            query = {"sessionId": session, "lastEventId": writer.ids[-1]}
            assert (await client.get(url, params=query)).status_code == 204
            assert (await client.get(url, params={"sessionId": str(nanoid.generate())})).status_code == 404
            assert (await client.get(url, params={"sessionId": session})).status_code == 200
    await viewers_are(narrow, 0)
    async with watching(narrow, session, session):
        pass
    await viewers_are(narrow, 0)


async def test_a_hundred_viewers_need_no_more_connections_to_redis_than_one(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    async with raw(services.consume, {"sessionId": session}) as first:
        # What it is shown live has come by the last of the connections.
        await first.has(b"\n\n")
        await writer.say("heard by one")
        await first.has(b"heard by one")
        [group] = await redis_client.xinfo_groups(keys.log(session))
        name = f"rejoin-consume-{keys.instance_of(group['name'])}"
        with_one = await connections(redis_client, name)
        async with contextlib.AsyncExitStack() as stack:
            viewers = [
                await stack.enter_async_context(raw(services.consume, {"sessionId": session})) for _ in range(99)
            ]
            await asyncio.gather(*(viewer.has(b"\n\n") for viewer in viewers))
            assert len(await redis_client.xinfo_groups(keys.log(session))) == 100
            assert await connections(redis_client, name) == with_one <= 3
            await writer.say("heard by all")
            await asyncio.gather(*(viewer.has(b"heard by all") for viewer in (first, *viewers)))
            assert await connections(redis_client, name) == with_one


async def connections(redis_client: Any, name: str) -> int:
    """How many connections to Redis bear this name."""
    return sum(client["name"] == name for client in await redis_client.client_list())
