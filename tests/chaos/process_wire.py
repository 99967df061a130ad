"""The wire between one process and a Redis that dies and comes back: the proxy, which can also swallow nudges."""

from tests.ends import End
from tests.system.nudge_proxy import NudgeProxy


class ProcessWire(NudgeProxy):
    """Passes everything on but, while `nudges_lost`, the nudges."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url, self._fate)
        self.nudges_lost = False
        self.swallowed = 0

    def _fate(self, _: int) -> float | None:
        self.swallowed += self.nudges_lost
        return None if self.nudges_lost else 0.0

    async def _connect(self, client: End) -> None:
        try:
            await super()._connect(client)
        except OSError:
            client.transport.abort()  # no Redis: whoever connects shall hear of it
