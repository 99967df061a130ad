"""Several processes of both services behind the nginx that is shipped; each can be restarted where it stands."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.leash import Leash
from tests.nginx import Nginx
from tests.ports import free_port
from tests.processes import Service, vendor_settings
from tests.system.own_process import CONSUME, GENERATE

_STOPS_S = 30.0


class Fleet:
    """The processes, and nginx in front of them. All settings are the defaults, but for the drain."""

    def __init__(self, leash: Leash, directory: Path, redis_url: str, vendors: str, drain_s: float) -> None:
        self._both = {"REDIS_URL": redis_url}
        self._writer = self._both | vendor_settings(vendors) | {"REJOIN_DRAIN_S": str(drain_s)}
        self._leash = leash
        self.generate = [self._process(GENERATE, self._writer) for _ in range(2)]
        self.consume = [self._process(CONSUME, self._both) for _ in range(3)]
        # In clear: what TLS costs is no part of the claim.
        self.nginx = Nginx(leash, directory, _places(self.generate), _places(self.consume), tls=False)

    @property
    def processes(self) -> list[Service]:
        """All processes of both services."""
        return [*self.generate, *self.consume]

    async def grow(self) -> Service:
        """One more process of consume-stream; whoever comes from now on may get it."""
        added = await self._process(CONSUME, self._both).start()
        self.consume.append(added)
        await self.reload()
        return added

    async def reload(self) -> None:
        """nginx takes its configuration anew."""
        await asyncio.to_thread(self.nginx.reload, _places(self.generate), _places(self.consume))

    async def restart(self, service: Service) -> None:
        """SIGTERM, the end, and the start at the same port. nginx is not told."""
        assert await service.stop(_STOPS_S) == 0
        await service.start()

    def _process(self, module: str, environ: dict[str, str]) -> Service:
        # By the command: what a start takes is part of a restart.
        own = environ | {"REJOIN_PORT": str(free_port())}
        return Service(module, self._leash, own, python=sys.executable)


@asynccontextmanager
async def sailing(fleet: Fleet) -> AsyncIterator[Fleet]:
    """It serves inside the block."""
    await asyncio.gather(*(service.start() for service in fleet.processes))
    try:
        with fleet.nginx:
            yield fleet
    finally:
        for service in fleet.processes:
            if service.process and service.process.poll() is None:
                await service.kill()


def _places(services: list[Service]) -> list[str]:
    return [f"127.0.0.1:{service._environ['REJOIN_PORT']}" for service in services]
