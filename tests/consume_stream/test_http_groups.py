"""Consumer groups: one for each viewer, there exactly as long as the viewer is."""

import asyncio
import contextlib
import re
from typing import Any

import httpx2
import pytest

from deploy.leash import Leash
from shared import keys
from tests.consume_stream.facts import groups, no_groups
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import raw
from tests.processes import Service, Services, until
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

DEADLINE_S = 10.0


async def test_each_viewer_has_one_group_with_one_consumer_while_it_is_connected(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    async with contextlib.AsyncExitStack() as viewers:
        for number in range(1, 6):
            viewer = await viewers.enter_async_context(raw(services.consume, {"sessionId": session}))
            await viewer.has(b"\n\n")
            assert len(await groups(redis_client, session)) == number
        names = await groups(redis_client, session)
        instances = {match[1] for name in names if (match := re.fullmatch(r"sse-group-([a-z0-9]{12})-[\w-]{21}", name))}
        assert len(instances) == 1
        assert await redis_client.exists(keys.consumer(instances.pop()))
        for name in names:
            consumers = await redis_client.xinfo_consumers(keys.log(session), name)
            assert [(each["name"], each["pending"]) for each in consumers] == [("viewer", 0)]
    await no_groups(redis_client, session)


async def test_a_clean_end_leaves_no_group(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    await asyncio.gather(*(Viewer(services.consume.url, session).connect() for _ in range(5)))
    await no_groups(redis_client, session)


async def test_refused_and_idle_asking_leaves_no_group(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.answer("One.")
    url = f"{services.consume.url}/api/consume-stream"
    async with httpx2.AsyncClient(verify=False) as client:
        head = await client.head(url, params={"sessionId": session})
        no_content = await client.get(url, params={"sessionId": session, "lastEventId": writer.ids[-1]})
        page = await client.get(f"{services.consume.url}/api/sessions/{session}")
    assert (head.status_code, head.content, no_content.status_code, page.status_code) == (200, b"", 204, 200)
    assert await groups(redis_client, session) == []


async def test_groups_of_a_dead_process_are_swept_and_those_of_the_living_stay(
    services: Services, brisk: Service, redis_client: Any, redis_url: str, leash: Leash, session: str
) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    await redis_client.xgroup_create(keys.log(session), "somebody-elses", "0")
    doomed = await Service("services.consume_stream", leash, {"REDIS_URL": redis_url}).start()
    async with raw(brisk, {"sessionId": session}) as living:
        await living.has(b"\n\n")
        [of_the_living] = [name for name in await groups(redis_client, session) if name != "somebody-elses"]
        async with raw(doomed, {"sessionId": session}) as viewer:
            await viewer.has(b"\n\n")
            both = set(await groups(redis_client, session)) - {"somebody-elses", of_the_living}
            [of_the_dead] = both
            await doomed.kill()
        # Its key lives for a minute longer; while it does, nobody takes its groups for dead.
        instance = keys.instance_of(of_the_dead)
        assert instance
        assert 0 < await redis_client.ttl(keys.consumer(instance)) <= 60
        await redis_client.delete(keys.consumer(instance))
        async with raw(services.consume, {"sessionId": session}) as next_one:
            await next_one.has(b"\n\n")

            async def is_swept() -> bool:
                return of_the_dead not in await groups(redis_client, session)

            await until(is_swept, DEADLINE_S)
            assert {"somebody-elses", of_the_living} < set(await groups(redis_client, session))
            await writer.say("still read")
            await living.has(b"still read")


async def test_the_sign_of_life_of_a_process_is_renewed_long_before_it_ends(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await writer.begin()
    async with raw(services.consume, {"sessionId": session}) as viewer:
        await viewer.has(b"\n\n")
        [name] = await groups(redis_client, session)
        instance = keys.instance_of(name)
        assert instance
        assert await redis_client.ttl(keys.consumer(instance)) > 30
