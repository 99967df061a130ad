"""A stuck viewer: it asks, and never reads what comes. It is for the service to be rid of it."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from tests.chaos.place import Place
from tests.chaos.plan import Watch
from tests.system.starved import narrow, request

_COMES_BACK_S = 0.1


class Stuck:
    """One such viewer. Its connection stays until `close`, whatever becomes of the other end."""

    def __init__(self, watch: Watch, session: str, places: Sequence[Place]) -> None:
        self.asked = False
        self._watch = watch
        self._session = session
        self._places = places
        self._socket: socket.socket | None = None

    async def connect(self) -> None:
        """Ask, in its time, the first process that there is."""
        await asyncio.sleep(self._watch.at_s)
        while not self.asked:
            for place in self._places:
                with contextlib.suppress(OSError):  # it is being replaced
                    self._socket = narrow(place.service, request(self._session, self._watch.follow))
                    self.asked = True
                    return
            await asyncio.sleep(_COMES_BACK_S)

    def close(self) -> None:
        """Hang up."""
        if self._socket:
            self._socket.close()
