"""The Lua scripts, one file each: a call is one round trip, by their hash, with the text as the fallback."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from shared.wire import Argument, Wire

_FOLDER = Path(__file__).parent / "lua"


class Script:
    """One Lua script. A Redis that has restarted or failed over has forgotten it: then its text is sent once."""

    def __init__(self, name: str) -> None:
        self._text = (_FOLDER / f"{name}.lua").read_bytes()
        # Redis names a script by its SHA-1; nothing secret hangs on it.
        self._sha = hashlib.sha1(self._text, usedforsecurity=False).hexdigest()

    async def __call__(self, wire: Wire, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Run it. Raises RedisAway, or redis' ResponseError when Redis refuses."""
        rest = (len(keys), *keys, *arguments)
        try:
            return await wire.call("EVALSHA", self._sha, *rest)
        except NoScriptError:
            return await wire.call("EVAL", self._text, *rest)


START = Script("start")
APPEND = Script("append")
STOP = Script("stop")
CLAIM = Script("claim")
DELETE = Script("delete")
LEAVE = Script("leave")
SHARE = Script("share")
SHARES = Script("shares")
UNSHARE = Script("unshare")
