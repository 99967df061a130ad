"""Chats of the AI SDK in a process of Node, by commands: the real client, whatever its version."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from deploy import node
from tests.processes import until

VERSIONS = {
    "ai5": ("@ai-sdk/react-v2", "ai-v5"),
    "ai6": ("@ai-sdk/react-v3", "ai-v6"),
    "ai7": ("@ai-sdk/react", "ai"),
}
"""Where `Chat` and the transport of each are."""

_SECONDS = 20.0
_LINE_MAX = 16 * 1024 * 1024


class Chats:
    """The process, with as many chats as are asked for."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def do(self, what: str, **given: Any) -> Any:
        """A command, and what it answers."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"number": number, "do": what, **given}).encode() + b"\n")
        async with asyncio.timeout(_SECONDS):
            return await answer

    async def listen(self) -> None:
        """Hand out the answers as they come."""
        assert self._process.stdout
        async for line in self._process.stdout:
            told = json.loads(line)
            answer = self._waiting.pop(told["number"])
            if "error" in told:
                answer.set_exception(RuntimeError(told["error"]))
            else:
                answer.set_result(told.get("value"))


class Chat:
    """One chat."""

    def __init__(self, chats: Chats, name: str) -> None:
        self._chats = chats
        self._name = name

    async def call(self, method: str, *given: Any) -> None:
        """Call one of its methods, and wait until that is done."""
        await self._chats.do("call", name=self._name, method=method, **{"with": given})

    async def begin(self, method: str, *given: Any) -> None:
        """Call one without waiting for it."""
        await self._chats.do("begin", name=self._name, method=method, **{"with": given})

    async def send(self, text: str, **more: Any) -> None:
        """Ask, and wait for the answer."""
        await self.call("sendMessage", {"text": text, **more})

    async def ask(self, text: str, **more: Any) -> None:
        """Ask without waiting."""
        await self.begin("sendMessage", {"text": text, **more})

    async def state(self) -> Any:
        """What it shows."""
        return await self._chats.do("state", name=self._name)

    async def messages(self) -> list[Any]:
        """Its messages."""
        return list((await self.state())["messages"])

    async def words(self) -> str:
        """The text of its last message."""
        messages = await self.messages()
        return text(messages[-1]) if messages else ""

    async def shows(self, words: str) -> None:
        """Wait until these are the words of its last message."""

        async def shown() -> bool:
            return await self.words() == words

        await until(shown, _SECONDS)

    async def becomes(self, status: str) -> Any:
        """Wait for a status; returns what it shows then."""

        async def is_so() -> bool:
            return bool((await self.state())["status"] == status)

        await until(is_so, _SECONDS)
        return await self.state()


def text(message: Any) -> str:
    """The words of a message."""
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


@contextlib.asynccontextmanager
async def running(clients: Path, version: str, rejoin: Path | None = None) -> AsyncIterator[Chats]:
    """A process for chats of this version; with a module of `rejoinFetch` where one is given."""
    modules = [*VERSIONS[version], *([rejoin.as_uri()] if rejoin else [])]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        node.node(), clients / "chats.js", *modules, stdin=pipe, stdout=pipe, limit=_LINE_MAX
    )
    chats = Chats(process)
    listening = asyncio.create_task(chats.listen())
    try:
        yield chats
    finally:
        listening.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
