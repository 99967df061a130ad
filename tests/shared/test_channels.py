"""Channels against a real Redis: who listens hears, after every break of the way, and who has left leaves nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.channels import Channels
from shared.wire import RedisAway
from tests.connections import connector
from tests.processes import until
from tests.proxy import Proxy

pytestmark = pytest.mark.anyio

TIMEOUT_S = 1.0


@pytest.fixture
async def channels(proxy: Proxy) -> AsyncIterator[Channels]:
    """Channels that come through the proxy."""
    made = Channels(connector(proxy.url, "rejoin-test"), TIMEOUT_S)
    yield made
    await made.close()


class Ear:
    """A listener, and all that it has heard."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def __call__(self, data: bytes) -> None:
        self.heard.put_nowait(data)

    async def hears(self, wanted: bytes) -> None:
        """Wait until it hears this; what it hears before is no matter."""
        while await self.heard.get() != wanted:
            pass


async def test_whoever_listens_hears_what_is_published_right_after(
    channels: Channels, redis_client: Any, session: str
) -> None:
    for number in range(200):
        ear, channel = Ear(), f"{session}-{number}"
        await channels.listen(channel, ear)
        # The count is of those who were subscribed at that moment.
        assert await redis_client.publish(channel, f"word {number}") == 1
        await ear.hears(f"word {number}".encode())
    assert [await ears_of(redis_client, f"{session}-{number}") for number in range(200)] == [1] * 200


async def test_many_who_begin_to_listen_in_one_moment_all_hear(
    channels: Channels, redis_client: Any, session: str
) -> None:
    ears = [Ear() for _ in range(300)]
    await asyncio.gather(*(channels.listen(f"{session}-{number % 100}", ear) for number, ear in enumerate(ears)))
    counts = [await redis_client.publish(f"{session}-{number}", str(number)) for number in range(100)]
    assert counts == [1] * 100
    for number, ear in enumerate(ears):
        await ear.hears(str(number % 100).encode())


async def test_who_leaves_and_joins_in_one_moment_still_hears(
    channels: Channels, redis_client: Any, session: str
) -> None:
    ear = Ear()
    await channels.listen(session, ear)
    for number in range(200):
        channels.unlisten(session, ear)
        ear = Ear()
        await channels.listen(session, ear)
        assert await redis_client.publish(session, str(number)) == 1
        await ear.hears(str(number).encode())


async def test_who_comes_and_goes_before_any_confirmation_still_hears(
    channels: Channels, redis_client: Any, session: str
) -> None:
    for number in range(50):
        flighty, ear = Ear(), Ear()
        joining = asyncio.create_task(channels.listen(session, flighty))
        await until(lambda: is_known(channels, session), 5, every_s=0)
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        await channels.listen(session, ear)
        assert await redis_client.publish(session, str(number)) == 1
        await ear.hears(str(number).encode())
        channels.unlisten(session, ear)


async def test_after_a_cut_every_listener_is_told_to_look_again_and_hears(
    channels: Channels, proxy: Proxy, redis_client: Any, session: str
) -> None:
    ears = {f"{session}-{number}": [Ear(), Ear()] for number in range(20)}
    for channel, both in ears.items():
        for ear in both:
            await channels.listen(channel, ear)
    for _ in range(3):
        for ear in (ear for both in ears.values() for ear in both):
            drain(ear)
        proxy.cut()
        for channel, both in ears.items():
            for ear in both:
                await ear.hears(b"")
            assert await redis_client.publish(channel, channel) == 1
            for ear in both:
                await ear.hears(channel.encode())


async def test_a_connection_that_has_fallen_silent_is_given_up(
    channels: Channels, proxy: Proxy, redis_client: Any, session: str
) -> None:
    ear = Ear()
    await channels.listen(session, ear)
    drain(ear)
    proxy.hold("replies")
    await until(lambda: has_connected(proxy, 2), 3 * TIMEOUT_S)
    await proxy.heal()
    await ear.hears(b"")
    await redis_client.publish(session, "back")
    await ear.hears(b"back")


async def test_a_quiet_connection_is_kept(channels: Channels, proxy: Proxy, redis_client: Any, session: str) -> None:
    ear = Ear()
    await channels.listen(session, ear)
    # Two pings have been answered: nothing was published for longer than the timeout.
    quiet = proxy.bytes["replies"]
    await until(lambda: has_brought(proxy, quiet + 2 * len(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")), 4 * TIMEOUT_S)
    await redis_client.publish(session, "word")
    await ear.hears(b"word")
    assert proxy.connections == 1


async def test_who_has_left_hears_nothing_and_the_subscription_goes_with_the_last(
    channels: Channels, redis_client: Any, session: str
) -> None:
    leaver, stayer, fence = Ear(), Ear(), Ear()
    await channels.listen(session, leaver)
    await channels.listen(session, stayer)
    await channels.listen(f"{session}-fence", fence)
    drain(leaver)
    channels.unlisten(session, leaver)
    await redis_client.publish(session, "word")
    await stayer.hears(b"word")
    assert await ears_of(redis_client, session) == 1

    channels.unlisten(session, stayer)
    drain(stayer)
    await redis_client.publish(session, "word")
    await redis_client.publish(f"{session}-fence", "fence")
    await fence.hears(b"fence")
    assert leaver.heard.empty()
    assert stayer.heard.empty()
    await until(lambda: is_silent(redis_client, session), 5)


async def test_nobody_listens_before_anybody_does(channels: Channels, redis_client: Any, session: str) -> None:
    await channels.listen(f"{session}-other", Ear())
    assert await redis_client.pubsub_channels(f"{session}*") == [f"{session}-other"]


async def test_without_redis_listening_fails_in_time_and_leaves_nothing(
    channels: Channels, proxy: Proxy, redis_client: Any, session: str
) -> None:
    await proxy.refuse()
    lost, ear = Ear(), Ear()
    async with asyncio.timeout(2 * TIMEOUT_S + 1):
        with pytest.raises(RedisAway):
            await channels.listen(session, lost)
    await proxy.heal()
    await channels.listen(f"{session}-fence", ear)
    assert await redis_client.pubsub_channels(f"{session}*") == [f"{session}-fence"]
    assert lost.heard.empty()


async def test_who_begins_to_listen_during_a_break_hears_after_it(
    channels: Channels, proxy: Proxy, redis_client: Any, session: str
) -> None:
    first, late = Ear(), Ear()
    await channels.listen(session, first)
    await proxy.refuse()
    joining = asyncio.create_task(channels.listen(f"{session}-late", late))
    await until(lambda: is_known(channels, f"{session}-late"), 5, every_s=0)
    await proxy.heal()
    await joining
    assert await redis_client.publish(f"{session}-late", "word") == 1
    await late.hears(b"word")


async def is_known(channels: Channels, channel: str) -> bool:
    """Whether somebody has asked to listen, confirmed or not: there is no fact to see outside yet."""
    return channel.encode() in channels._channels


async def ears_of(client: Any, channel: str) -> int:
    [(_, count)] = await client.pubsub_numsub(channel)
    return int(count)


async def is_silent(client: Any, channel: str) -> bool:
    return not await client.pubsub_channels(channel)


async def has_connected(proxy: Proxy, times: int) -> bool:
    return proxy.connections >= times


async def has_brought(proxy: Proxy, replies: int) -> bool:
    return proxy.bytes["replies"] >= replies


def drain(ear: Ear) -> None:
    while not ear.heard.empty():
        ear.heard.get_nowait()
