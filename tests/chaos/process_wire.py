"""The wire between one process and a Redis that dies and comes back: it swallows nudges, and tells another time."""

import asyncio
import re
from urllib.parse import urlsplit

from tests.ends import End
from tests.proxy import Proxy

_NUDGE = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$\d+\r\nllm:stream:[^\r]*\r\n\$0\r\n\r\n")
_TIME = re.compile(rb"(\*2\r\n\$10\r\n)(\d{10})(?=\r\n\$[1-6]\r\n\d{1,6}\r\n)")
_APPENDED = re.compile(rb"(\*4\r\n\$2\r\nok\r\n:\d+\r\n:[01]\r\n\$13\r\n)(\d{10})(?=\d{3}\r\n)")
"""The replies that tell the server's clock, and the whole seconds in them."""


class ProcessWire(Proxy):
    """Stands in front of a Redis on a Unix socket. Passes everything on but, while `nudges_lost`, the nudges."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self.nudges_lost = False
        self.swallowed = 0
        self.ahead_s = 0
        """How far the clock of Redis seems to be ahead."""
        self._healing = asyncio.Lock()

    async def heal(self) -> None:
        """Heal, one after the other: two faults on one wire may end at once, and both would open its door again."""
        async with self._healing:
            await super().heal()

    async def _connect(self, client: End) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_unix_connection(lambda: _Replies(self, client), urlsplit(self._redis_url).path)
        except OSError:
            client.transport.abort()  # no Redis: whoever connects shall hear of it


class _Replies(End):
    """What Redis says. It writes a nudge whole, and a reply; on a connection that isn't full they come whole."""

    def __init__(self, wire: ProcessWire, client: End) -> None:
        super().__init__(wire, "replies", client)
        self._wire = wire

    def data_received(self, data: bytes) -> None:
        if self._wire.nudges_lost:
            data, nudges = _NUDGE.subn(b"", data)
            self._wire.swallowed += nudges
        if self._wire.ahead_s:
            data = _APPENDED.sub(self._moved, _TIME.sub(self._moved, data))
        if data:
            super().data_received(data)

    def _moved(self, told: re.Match[bytes]) -> bytes:
        return told[1] + b"%d" % (int(told[2]) + self._wire.ahead_s)
