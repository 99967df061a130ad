"""Two processes of generate-stream and one of consume-stream on one Redis, with times short enough to wait for."""

from typing import Self

from deploy.leash import Leash
from tests.processes import Service, Services, vendor_settings
from tests.proxy import Proxy
from tests.system.own_process import GENERATE

LEASE_S = 1.0
SWEEP_S = 0.2

TAKEN_S = LEASE_S + SWEEP_S
"""How long a living process may need to find a dead one's answer."""

SHORT = {
    "REJOIN_LEASE_S": str(LEASE_S), "REJOIN_SWEEP_S": str(SWEEP_S), "REJOIN_RECHECK_S": "0.5", "REJOIN_PING_S": "0.5",
}  # fmt: skip


class Pair(Services):
    """`generate` and `other` write, `consume` reads. Whatever was ended in a test, `mend` starts again.

    `wire` stands in front of the same Redis, between it and `generate` alone.
    """

    def __init__(self, redis_url: str, leash: Leash, vendors: str, wire: Proxy | None = None, **settings: str) -> None:
        super().__init__(redis_url, leash, vendors=vendors, **SHORT | settings)
        self.wire = wire
        if wire:
            self.generate._environ["REDIS_URL"] = wire.url
        environ = vendor_settings(vendors) | {"REDIS_URL": redis_url} | SHORT | settings
        self.other = Service(GENERATE, leash, environ)

    async def __aenter__(self) -> Self:
        await self.other.start()
        return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        if _lives(self.other):
            await self.other.kill()

    async def mend(self) -> None:
        """Heal the wire, and start the services that do not live."""
        if self.wire:
            await self.wire.heal()
        for service in (self.generate, self.other, self.consume):
            if not _lives(service):
                await service.start()


def _lives(service: Service) -> bool:
    return service.process is not None and service.process.poll() is None
