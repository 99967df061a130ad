"""A session goes away under its writer and its viewers, by a delete, by hand, or by time: nobody pays for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.processes import Services, until
from tests.system.pair import LEASE_S, SHORT
from tests.system.story import PIECES, Story
from tests.viewing import Cut, Refused, Viewer

pytestmark = pytest.mark.anyio

BEAT_S = LEASE_S / 3
LITTLE_S = 5.0
"""What a busy machine may add to any deadline."""

Removal = Callable[[Caller], Awaitable[Any]]


def removed(caller: Caller) -> Awaitable[Any]:
    """Somebody at the Redis deletes both keys."""
    gone: Awaitable[Any] = caller.redis.delete(keys.log(caller.session), keys.meta(caller.session))
    return gone


async def expired(caller: Caller) -> None:
    """Their time is over."""
    async with caller.redis.pipeline() as at_once:
        at_once.pexpire(keys.log(caller.session), 1)
        at_once.pexpire(keys.meta(caller.session), 1)
        await at_once.execute()


async def deleted(caller: Caller) -> None:
    """By the route for it."""
    assert (await caller.delete()).status_code == 204


@pytest.fixture(scope="module")
async def services(own_redis: str, upstream: Upstream, leash: Leash) -> AsyncIterator[Services]:
    """With a short lease."""
    async with Services(own_redis, leash, vendors=upstream.url, **SHORT) as running:
        yield running


@pytest.mark.parametrize("removal", [removed, expired, deleted])
async def test_a_writer_whose_session_is_gone_stops_paying_and_viewers_are_told(
    services: Services, own_client: Any, upstream: Upstream, session: str, removal: Removal
) -> None:
    upstream.prompts[session] = Script(text=PIECES, gate=(gate := Gate()))
    caller = Caller(services.generate, own_client, session)
    async with Story(services, caller) as story:
        gate.let_out(700)
        await story.shows("".join(PIECES[:700]))
        viewer = Viewer(services.consume.url, session)
        watching = asyncio.create_task(viewer.connect())
        await until(lambda: shows_all_that(viewer, story.early), 5)
        await removal(caller)
        await gate.left_within(BEAT_S + LITTLE_S)
        with pytest.raises(Cut):
            await watching

        async def is_told() -> bool:
            return story.early.frames[-1].event == {"type": "reset", "reason": "gone"}

        await until(is_told, LITTLE_S)
        assert story.early.text == ""
        with pytest.raises(Refused, match="session_not_found"):
            await viewer.connect()
        assert not await own_client.exists(keys.log(session))

        async def not_running() -> bool:
            return await own_client.zscore(keys.RUNNING, session) is None

        await until(not_running, 5 * LEASE_S)
        assert await caller.start(prompt="Hello?") == 1
        await story.sees(lambda answer: answer.status == "completed")


async def shows_all_that(viewer: Viewer, other: Viewer) -> bool:
    """Whether one viewer shows what another shows."""
    return viewer.text == other.text
