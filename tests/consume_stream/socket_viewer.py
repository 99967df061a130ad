"""A viewer by WebSocket, as a program with the library `websockets` is one; it folds what it is told as every other."""

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from urllib.parse import urlencode

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.viewing import DEADLINE_S, Cut, Frame, Refused, Viewer

BROKEN_OFF = 1006


class Closed(Cut):
    """It was closed otherwise than at the answer's end; 1006 without a word."""

    def __init__(self, closed: ConnectionClosed) -> None:
        super().__init__(str(closed))
        self.code = closed.rcvd.code if closed.rcvd else BROKEN_OFF


class SocketViewer(Viewer):
    """Follows one session by messages."""

    async def stream(self) -> AsyncGenerator[Frame, None]:
        """Connect from where it stands, and give each frame as it comes, folded already. Ends with 1000 alone."""
        query = self._query | ({"lastEventId": self.last_id} if self.last_id else {})
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with socket(self._url, query, headers) as connection:
            while True:
                try:
                    told = json.loads(await connection.recv())
                except ConnectionClosed as closed:
                    if closed.rcvd and closed.rcvd.code == 1000:
                        return
                    raise Closed(closed) from closed
                assert told.keys() == ({"id", "data"} if "id" in told else {"data"})
                frame = Frame(told.get("id", self.last_id), told["data"], None)
                self.take(frame)
                yield frame


@contextlib.asynccontextmanager
async def socket(
    url: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None, origin: str = ""
) -> AsyncIterator[ClientConnection]:
    """A WebSocket at an http:// address, left at the end of the block. Raises Refused."""
    address = f"ws{url.removeprefix('http')}?{urlencode(query)}"
    named = {**(headers or {}), **({"Origin": origin} if origin else {})}
    connecting = connect(address, additional_headers=named, proxy=None, ping_interval=None, open_timeout=DEADLINE_S)
    try:
        connection = await connecting
    except InvalidStatus as refused:
        head, body = refused.response.headers, bytes(refused.response.body or b"")
        raise Refused(httpx2.Response(refused.response.status_code, headers=dict(head), content=body)) from refused
    async with connection:
        yield connection
