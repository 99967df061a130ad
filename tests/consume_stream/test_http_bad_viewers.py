"""Viewers that crash, and viewers that take nothing: they cost nobody anything, and leave nothing behind."""

from typing import Any

import pytest

from tests.consume_stream.facts import metric, no_groups, number_of_groups
from tests.consume_stream.outside_writer import OutsideWriter
from tests.consume_stream.raw_viewer import reset, unread
from tests.processes import Service, Services
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio


async def test_a_crash_of_the_client_in_the_middle_of_a_frame_leaves_no_group(
    services: Services, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    await big_log(writer)
    connections = [unread(services.consume, session) for _ in range(3)]
    await number_of_groups(redis_client, session, 3)
    for connection in connections:
        assert connection.recv(1000)
        reset(connection)
    await no_groups(redis_client, session)


async def test_a_viewer_that_reads_nothing_is_dropped_and_holds_up_nobody(
    brisk: Service, redis_client: Any, writer: OutsideWriter, session: str
) -> None:
    text = await big_log(writer)
    dropped = await metric(brisk, "rejoin_viewers_dropped_total")
    stuck = [unread(brisk, session) for _ in range(2)]
    await number_of_groups(redis_client, session, 2)
    viewer = Viewer(brisk.url, session)
    await viewer.connect(until=lambda _: viewer.text == text)
    await no_groups(redis_client, session)
    assert await metric(brisk, "rejoin_viewers_dropped_total") == dropped + 2
    for connection in stuck:
        connection.close()


async def big_log(writer: OutsideWriter) -> str:
    """Far more than all the buffers between a process and its viewer take. It does not end."""
    await writer.begin()
    words = [f"{number} ".ljust(16_000, ".") for number in range(600)]
    for at in range(0, len(words), 100):
        await writer.say(*words[at : at + 100])
    return "".join(words)
