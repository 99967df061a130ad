"""A proxy behind which Redis says another time: TIME is the one thing of what it carries that it knows."""

import asyncio
import re
from urllib.parse import urlsplit

from tests.ends import End
from tests.proxy import Proxy

_TIME = re.compile(rb"\*2\r\n\$10\r\n(\d{10})\r\n(?=\$[1-6]\r\n\d{1,6}\r\n)")


class ClockProxy(Proxy):
    """Stands in front of a Redis on a Unix socket."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self.ahead_s = 0
        """How far the clock of Redis seems to be ahead."""

    async def _connect(self, client: End) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: _Clock(self, client), urlsplit(self._redis_url).path)


class _Clock(End):
    """What Redis says. It writes an answer to TIME whole, and on a quiet connection it comes whole."""

    def __init__(self, proxy: ClockProxy, client: End) -> None:
        super().__init__(proxy, "replies", client)
        self._proxy = proxy

    def data_received(self, data: bytes) -> None:
        super().data_received(_TIME.sub(self._moved, data))

    def _moved(self, told: re.Match[bytes]) -> bytes:
        return b"*2\r\n$10\r\n%d\r\n" % (int(told[1]) + self._proxy.ahead_s)
