"""A crowd of viewers that misbehave: some vanish at any moment, some never read, some take a kilobyte a second."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.consume_stream.raw_viewer import reset
from tests.processes import Service
from tests.system.starved import narrow, request

AT_ONCE = 40
STAYS_S = 0.3
SLOW_BYTES_PER_S = 1024


async def vanish(service: Service, session: str, number: int, drawn: random.Random) -> None:
    """So many viewers connect, and are gone: before asking, in the middle of it, before the head, after some bytes."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with room:
            await _vanish(service, session, drawn)

    async with asyncio.TaskGroup() as crowd:
        for _ in range(number):
            crowd.create_task(one())


async def _vanish(service: Service, session: str, drawn: random.Random) -> None:
    asked = request(session, drawn.choice(["answer", "session"]))
    said = drawn.choice([b"", asked[: drawn.randrange(len(asked))], asked, asked, asked])
    connection = narrow(service, said)
    left = drawn.choice([0, 1, drawn.randrange(3000)]) if said == asked else 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(drawn.uniform(0, STAYS_S)):
            await _take(connection, left)
            await asyncio.Event().wait()
    (reset if drawn.random() < 0.5 else socket.socket.close)(connection)


async def _take(connection: socket.socket, left: int) -> None:
    while left > 0 and (part := await asyncio.get_running_loop().sock_recv(connection, left)):
        left -= len(part)


@asynccontextmanager
async def stuck(service: Service, session: str, number: int) -> AsyncIterator[list[socket.socket]]:
    """So many viewers that read nothing."""
    with contextlib.ExitStack() as connections:
        yield [connections.enter_context(narrow(service, request(session))) for _ in range(number)]


@asynccontextmanager
async def slow(service: Service, session: str, number: int) -> AsyncIterator[None]:
    """So many viewers that take a kilobyte a second."""
    async with stuck(service, session, number) as connections:
        sipping = [asyncio.create_task(_sip(connection)) for connection in connections]
        try:
            yield
        finally:
            for task in sipping:
                task.cancel()
            await asyncio.gather(*sipping, return_exceptions=True)


async def _sip(connection: socket.socket) -> None:
    loop, taken = asyncio.get_running_loop(), b"-"
    while taken:
        taken = await loop.sock_recv(connection, SLOW_BYTES_PER_S)
        await asyncio.sleep(1.0)


def served(service: Service, connections: list[socket.socket]) -> bool:
    """Whether a process still has the other end of any of these."""
    assert service.process
    others = {each.raddr.port for each in psutil.Process(service.process.pid).net_connections("tcp") if each.raddr}
    return any(connection.getsockname()[1] in others for connection in connections)
