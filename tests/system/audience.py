"""People behind a balancer: who asks, again if need be, and who reads and comes back as the page does."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx2

from tests.viewing import Cut, Frame, Refused, Viewer, frames_of

STAYS_S = 150.0
_FIRST_WAIT_S = 0.5
"""As FIRST_WAIT_MS of the page's client, and the same rule."""


class Reader(Viewer):
    """Follows one answer to its end, and notes the longest time without a word.

    It speaks HTTP by itself: with a library's client, 600 of them would need a core of their own.
    """

    def __init__(self, url: str, session: str) -> None:
        super().__init__(url, session)
        self.cuts = 0
        self.pause_s = 0.0
        self._failures = 0
        self._heard_at = 0.0

    @property
    def away(self) -> bool:
        """Whether it was cut, and has not been let in again."""
        return self._failures > 0

    async def read(self) -> None:
        """Read to the clean end, over as many connections as it takes. Raises TimeoutError."""
        self._heard_at = time.monotonic()
        async with asyncio.timeout(STAYS_S):
            while not await self._to_the_end():
                self._failures += 1
                longest_s = _FIRST_WAIT_S * 2**self._failures
                await asyncio.sleep(random.uniform(_FIRST_WAIT_S / 2, longest_s))

    def take(self, frame: Frame) -> None:
        """A word ends a pause."""
        super().take(frame)
        self._failures = 0
        if frame.event["type"] == "chunk":
            now = time.monotonic()
            self.pause_s, self._heard_at = max(self.pause_s, now - self._heard_at), now

    async def _to_the_end(self) -> bool:
        try:
            async with aclosing(self.stream()) as frames:
                async for _ in frames:
                    pass
        except (Cut, OSError):
            self.cuts += 1
            return False
        except Refused as refused:
            if refused.response.status_code not in {502, 503}:
                # 204: the end was its last frame.
                return refused.response.status_code == 204
            return False
        return True

    async def stream(self) -> AsyncGenerator[Frame, None]:
        """Connect from where it stands. Raises Cut, Refused, OSError."""
        address = urlsplit(self._url)
        reading, writing = await asyncio.open_connection(address.hostname, address.port)
        try:
            resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
            head = f"GET {address.path}?{urlencode(self._query)} HTTP/1.1\r\nHost: {address.netloc}\r\n{resume}\r\n"
            writing.write(head.encode())
            status = int((await reading.readuntil(b"\r\n\r\n")).split(None, 2)[1])
            if status != 200:
                raise Refused(httpx2.Response(status))
            async with aclosing(frames_of(_chunks(reading))) as frames:
                async for frame in frames:
                    self.take(frame)
                    yield frame
        except asyncio.IncompleteReadError as error:
            raise Cut(str(error)) from error
        finally:
            writing.close()


async def _chunks(body: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await body.readuntil(b"\r\n"), 16):
        yield (await body.readexactly(size + 2))[:-2]


class Audience:
    """Everybody who asks and reads at one address. What went wrong for one of them is raised by `leaves`."""

    def __init__(self, url: str) -> None:
        self.readers: dict[str, list[Reader]] = {}
        self.repeated = 0
        """Questions that had to be put again."""
        self._url = url
        self._client = httpx2.AsyncClient(timeout=STAYS_S, trust_env=False, verify=False)
        self._people: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._people:
            each.cancel()
        await asyncio.gather(*self._people, return_exceptions=True)
        await self._client.aclose()

    @property
    def all(self) -> list[Reader]:
        """All readers."""
        return [reader for readers in self.readers.values() for reader in readers]

    async def ask(self, session: str, readers: int, within_s: float) -> None:
        """Ask once, and let readers come, the first at once and the last after so long."""
        while (status := await self._asks(session)) != 202:
            assert status in {502, 503}, status
            self.repeated += 1
            await asyncio.sleep(0.1)
        coming = [Reader(self._url, session) for _ in range(readers)]
        self.readers[session] = coming
        for number, reader in enumerate(coming):
            self._person(_later(reader.read(), number * within_s / max(1, readers - 1)))

    async def leaves(self) -> None:
        """Wait until all have read to the end."""
        await asyncio.gather(*self._people)

    async def all_read(self) -> bool:
        """Whether everybody has words."""
        return all(reader.text for reader in self.all) and await self.all_back()

    async def all_back(self) -> bool:
        """Whether nobody was cut and has not been let in again. Raises what has gone wrong with somebody."""
        for each in self._people:
            if each.done():
                each.result()
        return not any(reader.away for reader in self.all)

    async def _asks(self, session: str) -> int:
        body = {"sessionId": session, "prompt": session, "provider": "openai"}
        headers = {"Idempotency-Key": session}
        try:
            response = await self._client.post(f"{self._url}/api/generate-stream", json=body, headers=headers)
        except httpx2.TransportError:
            return 502
        return response.status_code

    def _person(self, does: Coroutine[Any, Any, None]) -> None:
        self._people.append(asyncio.create_task(does))


async def _later(does: Coroutine[Any, Any, None], seconds: float) -> None:
    await asyncio.sleep(seconds)
    await does
