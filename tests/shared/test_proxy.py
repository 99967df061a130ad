"""The proxy does what the fault tests rely on: a fault that does not happen would let them pass for nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.processes import until
from tests.proxy import Proxy

pytestmark = pytest.mark.anyio

ECHO = b"*2\r\n$4\r\nECHO\r\n$10\r\n0123456789\r\n"
ECHOED = b"$10\r\n0123456789\r\n"


class Client:
    """A bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def echo(self) -> bytes:
        """Ask, and read what comes until all of it is there or the connection ends."""
        self.writer.write(ECHO)
        return await self.reply()

    async def reply(self) -> bytes:
        """Read a reply, or what there is of it before the end."""
        try:
            return await self.reader.readexactly(len(ECHOED))
        except asyncio.IncompleteReadError as end:
            return end.partial


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def test_what_goes_in_comes_out(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        assert await client.echo() == ECHOED
        assert proxy.bytes == {"requests": len(ECHO), "replies": len(ECHOED)}
        assert (proxy.connections, proxy.segments()) == (1, 1)
    async with connected(proxy) as client:
        client.writer.write(ECHO * 20_000)
        assert await client.reader.readexactly(len(ECHOED) * 20_000) == ECHOED * 20_000


@pytest.mark.parametrize("count", range(1, len(ECHOED)))
async def test_a_cut_after_some_bytes_lets_just_those_through(proxy: Proxy, count: int) -> None:
    async with connected(proxy) as client:
        proxy.cut_after_bytes(count, "replies")
        assert await client.echo() == ECHOED[:count]
    async with connected(proxy) as client:
        assert await client.echo() == ECHOED


async def test_a_delay_is_per_byte_and_costs_no_rate(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        proxy.delay_s = 0.05
        begun = time.monotonic()
        assert await client.echo() == ECHOED
        assert time.monotonic() - begun >= 0.1
        begun = time.monotonic()
        for _ in range(50):
            client.writer.write(ECHO)
            await client.writer.drain()
        assert await client.reader.readexactly(len(ECHOED) * 50) == ECHOED * 50
        assert time.monotonic() - begun < 50 * 0.1


async def test_what_is_held_comes_after_all(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        proxy.hold("replies")
        client.writer.write(ECHO)
        silent = asyncio.create_task(client.reply())
        assert await asyncio.wait([silent], timeout=0.05) == (set(), {silent})
        await proxy.heal()
        assert await silent == ECHOED


async def test_what_is_dropped_is_lost_with_its_connection(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        proxy.drop("replies")
        client.writer.write(ECHO)
        await until(lambda: has_passed(proxy, len(ECHOED)), 5)
        await proxy.heal()
        with pytest.raises(ConnectionResetError):
            await client.reader.readexactly(1)


async def test_who_is_refused_may_come_again_by_the_same_way(proxy: Proxy) -> None:
    url = proxy.url
    async with connected(proxy) as client:
        await proxy.refuse()
        with pytest.raises(ConnectionResetError):
            await client.reader.readexactly(1)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.heal()
    assert proxy.url == url
    async with connected(proxy) as client:
        assert await client.echo() == ECHOED


async def test_the_end_of_a_client_is_the_end_of_its_connection_to_redis(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        await client.echo()
        assert len(proxy.ends) == 2
    await until(lambda: nobody(proxy), 5)


async def has_passed(proxy: Proxy, replies: int) -> bool:
    return proxy.bytes["replies"] >= replies


async def nobody(proxy: Proxy) -> bool:
    return not proxy.ends
