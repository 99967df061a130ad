"""A proxy that knows one thing of what it carries, the nudges, and decides on each of them."""

import asyncio
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.ends import End
from tests.proxy import Proxy

_NUDGE = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$\d+\r\nllm:stream:[^\r]*\r\n\$0\r\n\r\n")

Fate = Callable[[int], float | None]
"""What becomes of the nudge with a number: how many seconds late it comes, None for never."""


class NudgeProxy(Proxy):
    """Stands in front of a Redis on a Unix socket. All but the nudges passes."""

    def __init__(self, redis_url: str, fate: Fate) -> None:
        super().__init__(redis_url)
        self.fate = fate
        self.nudges = 0
        """How many there have been."""

    async def _connect(self, client: End) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: _Nudges(self, client), urlsplit(self._redis_url).path)


class _Nudges(End):
    """What Redis says. It writes a nudge whole, and on a quiet connection it comes whole."""

    def __init__(self, proxy: NudgeProxy, client: End) -> None:
        super().__init__(proxy, "replies", client)
        self._proxy = proxy

    def data_received(self, data: bytes) -> None:
        rest = _NUDGE.sub(self._decide, data)
        if rest:
            super().data_received(rest)

    def _decide(self, nudge: re.Match[bytes]) -> bytes:
        late_s = self._proxy.fate(self._proxy.nudges)
        self._proxy.nudges += 1
        if late_s is not None:
            asyncio.get_running_loop().call_later(late_s, super().data_received, nudge[0])
        return b""
