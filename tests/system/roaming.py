"""A viewer that comes back after every cut, as a page in a browser does, and is sent to another process each time."""

import asyncio
from collections.abc import Callable, Sequence

import httpx2

from tests.processes import Service
from tests.viewing import Cut, Frame, Refused, Viewer

DEADLINE_S = 60.0
_COMES_BACK_S = 0.02


class Roamer(Viewer):
    """Behind a balancer: each connection goes to the next of the processes, whatever their addresses are by then."""

    def __init__(self, processes: Sequence[Service], session: str, follow: str = "answer") -> None:
        super().__init__("", session, follow)
        self.cuts = 0
        """How many streams broke off."""
        self._processes = processes
        self._turn = 0

    async def roam(self, until: Callable[[Frame], bool] | None = None) -> None:
        """Follow to the clean end, or until a frame is as wished, over as many connections as it takes."""
        async with asyncio.timeout(DEADLINE_S):
            while not await self._follow(until):
                self._turn += 1
                await asyncio.sleep(_COMES_BACK_S)

    async def _follow(self, until: Callable[[Frame], bool] | None) -> bool:
        self._url = f"{self._processes[self._turn % len(self._processes)].url}/api/consume-stream"
        try:
            await self.connect(until)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            return False
        except (Cut, httpx2.TransportError):
            self.cuts += 1
            return False
        except Refused as refused:
            if refused.response.status_code == 503:
                return False
            if refused.response.status_code != 204:
                raise
        return True
