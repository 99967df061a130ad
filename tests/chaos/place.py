"""A place: where one process of a service stands, and the next one when it dies."""

import asyncio
import signal

from deploy.leash import Leash
from tests.chaos.process_wire import ProcessWire
from tests.processes import Service

ENDS_WITHIN_S = 30.0


class Place:
    """When its process dies, the next one takes its place and its wire."""

    def __init__(self, module: str, wire: ProcessWire, leash: Leash, environ: dict[str, str]) -> None:
        self.wire = wire
        self.busy = asyncio.Lock()
        """Held by whoever is breaking or replacing the process."""
        self.service: Service
        self.past: list[Service] = []
        self.unclean: list[str] = []
        """Ends in good order that were none."""
        self.module = module
        self._leash = leash
        self._environ = environ | {"REDIS_URL": wire.url}
        self._ending: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start a process here."""
        service = Service(self.module, self._leash, self._environ)
        self.past.append(service)
        await service.start()
        self.service = service

    async def kill(self) -> None:
        """kill -9, and a new one."""
        await self.service.kill()
        await self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.service.process
        self.service.process.send_signal(number)

    async def replace(self) -> None:
        """SIGTERM, and a new one at once; the old one takes its time."""
        self.signal(signal.SIGTERM)
        task = asyncio.create_task(self._ended(self.service))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        await self.start()

    async def alone(self) -> None:
        """Wait until those that were told to end have ended."""
        await asyncio.gather(*self._ending)

    async def _ended(self, service: Service) -> None:
        try:
            code = await service.ended(ENDS_WITHIN_S)
        except Exception as error:  # noqa: BLE001 - told in the verdict
            self.unclean.append(f"{self.module} did not end within {ENDS_WITHIN_S} s of its SIGTERM: {error!r}")
            await service.kill()
        else:
            if code:
                self.unclean.append(f"{self.module} ended with {code} after its SIGTERM")
