"""A vendor's server that does as it is told, byte by byte: Chat Completions and Messages on one port.

As a process: `python -m tests.fakes.upstream --port 0 --script file.json` (see script.load). It prints `{"url": …}`,
and with `--until-stdin-ends` it dies with the process that holds the other end of its standard input.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.fakes import wire
from tests.fakes.connection import Connection, Request
from tests.fakes.script import Script, load


class Upstream:
    """The fake, and what it has seen. Scripts may be changed between requests."""

    def __init__(self, default: Script | None = None, prompts: Mapping[str, Script] | None = None) -> None:
        self.default = default or Script()
        self.prompts = dict(prompts or {})
        self.requests: list[Request] = []
        self.connections: list[Connection] = []
        self.url = ""
        self._asked = asyncio.Event()
        self._served: Counter[str] = Counter()

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return sum(not connection.closed.is_set() for connection in self.connections)

    async def asked_within(self, seconds: float) -> None:
        """Wait for the first request; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._asked.wait()

    async def closed_within(self, seconds: float) -> None:
        """Wait until the client has closed the newest connection; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self.connections[-1].closed.wait()
        assert self.connections[-1].closed_by_client, "the fake itself closed it"

    async def answer(self, request: Request, connection: Connection) -> None:
        """Do what the script for the request's prompt says."""
        self.requests.append(request)
        self._asked.set()
        script = self.prompts.get(request.prompt, self.default)
        self._served[request.prompt] += 1
        if script.stall_after == -1:
            await asyncio.Event().wait()
        if not request.path.endswith(("/chat/completions", "/messages")) or request.body.get("stream") is not True:
            connection.reply(404, wire.error(request.path, 404, None))
        elif script.status != 200 and (script.times is None or self._served[request.prompt] <= script.times):
            connection.reply(script.status, wire.error(request.path, script.status, script.error))
        else:
            await _stream(connection, script, wire.told(request.path, request.body, script))


async def _stream(connection: Connection, script: Script, events: Iterable[wire.Event]) -> None:
    connection.start(chunked=script.chunked)
    left, pieces = script.cut_at, 0
    for event in events:
        if pieces == script.stall_after:
            break
        if event.is_piece:
            pieces += 1
            await _turn(script)
        raw = event.raw if left is None else event.raw[:left]
        step = script.split or max(1, len(raw))
        for at in range(0, len(raw), step):
            connection.write(raw[at : at + step])
            # Lets a client in the same loop read each write by itself.
            await asyncio.sleep(0)
        if left is not None:
            left -= len(raw)
            if left == 0:
                return connection.hang_up(reset=script.reset)
    if pieces == script.stall_after:
        await asyncio.Event().wait()
    connection.end()
    return None


async def _turn(script: Script) -> None:
    if script.gate is not None:
        await script.gate.acquire()
    if script.delay_s:
        await asyncio.sleep(script.delay_s)


@asynccontextmanager
async def running(
    default: Script | None = None, prompts: Mapping[str, Script] | None = None, *, port: int = 0
) -> AsyncIterator[Upstream]:
    """A fake that listens on 127.0.0.1 at `upstream.url`; a free port by default."""
    upstream = Upstream(default, prompts)
    async with listening(upstream, port):
        yield upstream


@asynccontextmanager
async def listening(upstream: Upstream, port: int = 0) -> AsyncIterator[None]:
    """The same for a fake that is there already."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(upstream), "127.0.0.1", port)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield
    finally:
        server.close()
        for connection in upstream.connections:
            connection.hang_up()
        await asyncio.gather(*(connection.ended() for connection in upstream.connections))


async def main(arguments: Any) -> None:
    """Serve until killed; print the URL when it can be called."""
    default, prompts = load(arguments.script) if arguments.script else (Script(), {})
    async with running(default, prompts, port=arguments.port) as upstream:
        print(json.dumps({"url": upstream.url}), flush=True)
        if arguments.until_stdin_ends:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A scripted fake of the vendors' servers.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--until-stdin-ends", action="store_true")
    asyncio.run(main(parser.parse_args()))
