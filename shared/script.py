"""A Lua script: a call is one round trip, by its hash, with the text as the fallback."""

import asyncio
import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from shared.wire import Argument, Told, Wire, pack, settle


class Script:
    """One Lua script. A Redis that has restarted or failed over has forgotten it: then its text is sent once."""

    def __init__(self, path: Path) -> None:
        self._text = path.read_bytes()
        # Redis names a script by its SHA-1; nothing secret hangs on it.
        self._sha = hashlib.sha1(self._text, usedforsecurity=False).hexdigest()

    def ask(self, wire: Wire, keys: Sequence[str], arguments: Sequence[Argument], told: Told) -> None:
        """Queue it for the next write; `told` gets its reply, or the RedisError in its stead."""
        rest = (len(keys), *keys, *arguments)

        def replied(reply: Any) -> None:
            if isinstance(reply, NoScriptError):
                wire.ask(pack("EVAL", self._text, *rest), told)
            else:
                told(reply)

        wire.ask(pack("EVALSHA", self._sha, *rest), replied)

    def send(self, wire: Wire, keys: Sequence[str], arguments: Sequence[Argument]) -> asyncio.Future[Any]:
        """Queue it for the next write; the future gets its reply."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.ask(wire, keys, arguments, partial(settle, future))
        return future

    async def __call__(self, wire: Wire, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Run it. Raises RedisAway, or redis' ResponseError when Redis refuses."""
        return await self.send(wire, keys, arguments)
