"""How a consume process ends at a signal: its viewers are cut, and go on elsewhere."""

import asyncio
import time
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from tests.consume_stream.outside_writer import OutsideWriter
from tests.processes import until
from tests.system.own_process import CONSUME, process
from tests.viewing import Cut, Viewer

pytestmark = pytest.mark.anyio


async def test_a_consume_process_that_is_told_to_end_cuts_its_viewers_and_leaves_no_group(
    redis_url: str, redis_client: Any, leash: Leash, session: str
) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    async with process(CONSUME, leash, REDIS_URL=redis_url) as service:
        viewers = [Viewer(service.url, session, follow) for follow in ("answer", "session") for _ in range(5)]

        async def is_cut(viewer: Viewer) -> None:
            with pytest.raises(Cut):
                await viewer.connect()

        async with asyncio.TaskGroup() as watching:
            for viewer in viewers:
                watching.create_task(is_cut(viewer))

            async def all_watch() -> bool:
                return all(viewer.frames for viewer in viewers)

            await until(all_watch, 10)
            groups = await redis_client.xinfo_groups(keys.log(session))
            began = time.monotonic()
            assert await service.stop() == 0
        assert time.monotonic() - began < 3
    assert len(groups) == 10
    assert await redis_client.xinfo_groups(keys.log(session)) == []
    assert not await redis_client.exists(keys.consumer(str(keys.instance_of(groups[0]["name"]))))
    assert "Traceback" not in service.log


async def test_a_viewer_that_was_cut_goes_on_at_another_process(
    redis_url: str, redis_client: Any, leash: Leash, session: str
) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    await writer.say("One, ")
    async with process(CONSUME, leash, REDIS_URL=redis_url) as other:
        async with process(CONSUME, leash, REDIS_URL=redis_url) as first:
            viewer = Viewer(first.url, session)
            await viewer.connect(until=lambda frame: frame.id == writer.ids[-1])
            watching = asyncio.create_task(viewer.connect())
            await writer.say("two, ")

            async def has_two() -> bool:
                return viewer.text == "One, two, "

            await until(has_two, 10)
            assert await first.stop() == 0
            with pytest.raises(Cut):
                await watching
        await writer.say("three.")
        await writer.end()
        moved = Viewer(other.url, session)
        moved.view, moved.last_id = viewer.view, viewer.last_id
        await moved.connect()
    assert moved.text == "One, two, three."
    assert [frame.id for frame in viewer.frames + moved.frames] == writer.ids
