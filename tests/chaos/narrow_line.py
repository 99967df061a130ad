"""A narrow line to a process: what it says comes at a trickle, and waits there meanwhile."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from tests.processes import Service
from tests.system.starved import narrow

_BITE_BYTES = 2048


@contextlib.asynccontextmanager
async def narrow_line(service: Service, bytes_per_second: float) -> AsyncIterator[str]:
    """The URL of the same process, at the other end of such a line."""

    pace = _BITE_BYTES / bytes_per_second

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError), narrow(service) as connection:
            ways = [asyncio.create_task(_ask(reader, connection)), asyncio.create_task(_sip(connection, writer, pace))]
            # Whoever hangs up first, the other one hears of it.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _ask(reader: asyncio.StreamReader, connection: socket.socket) -> None:
    while asked := await reader.read(_BITE_BYTES):
        await asyncio.get_running_loop().sock_sendall(connection, asked)


async def _sip(connection: socket.socket, writer: asyncio.StreamWriter, pace_s: float) -> None:
    while bite := await asyncio.get_running_loop().sock_recv(connection, _BITE_BYTES):
        writer.write(bite)
        await writer.drain()
        await asyncio.sleep(pace_s * len(bite) / _BITE_BYTES)
