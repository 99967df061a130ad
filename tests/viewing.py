"""A viewer as an outside program would be one: it reads Server-Sent Events by their specification, and folds them."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx2

from shared.view import View

DEADLINE_S = 60.0
"""For a whole stay. It is no claim: where others keep the machine busy, everything takes its time."""


class Frame(NamedTuple):
    """One dispatched event: the last id so far, its data, and the retry that came with it."""

    id: str | None
    event: dict[str, Any]
    retry: int | None


class Cut(Exception):
    """The response broke off instead of ending."""


class Refused(Exception):
    """The answer was no stream."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(f"{response.status_code} {response.text}")
        self.response = response


class Viewer:
    """Follows one session. What it holds survives its connections, as a browser's page does."""

    def __init__(self, url: str, session: str, follow: str = "answer", *, token: str = "", share: str = "") -> None:
        self.view = View()
        self.frames: list[Frame] = []
        self.last_id: str | None = None
        self._url = f"{url}/api/consume-stream"
        self.token = token
        self._query = {"sessionId": session, "follow": follow} | ({"share": share} if share else {})

    async def connect(self, until: Callable[[Frame], bool] | None = None) -> None:
        """Follow to the clean end, or until a frame is as wished; then hang up. Raises Cut, Refused, TimeoutError."""
        async with asyncio.timeout(DEADLINE_S), aclosing(self.stream()) as frames:
            async for frame in frames:
                if until and until(frame):
                    return

    async def stream(self) -> AsyncGenerator[Frame, None]:
        """Connect from where it stands, and give each frame as it comes, folded already."""
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with (
            httpx2.AsyncClient(timeout=DEADLINE_S, verify=False) as client,
            client.stream("GET", self._url, params=self._query, headers=headers) as response,
        ):
            if response.status_code != 200:
                await response.aread()
                raise Refused(response)
            try:
                async with aclosing(frames_of(response.aiter_bytes())) as frames:
                    async for frame in frames:
                        self.take(frame)
                        yield frame
            except httpx2.RemoteProtocolError as error:
                raise Cut(str(error)) from error

    @property
    def text(self) -> str:
        """The words of all generations."""
        return "".join(answer.text for answer in self.view.answers.values())

    @property
    def reasoning(self) -> str:
        """The thinking of all generations."""
        return "".join(answer.reasoning for answer in self.view.answers.values())

    def take(self, frame: Frame) -> None:
        """Fold one frame, and remember where to come back to."""
        self.frames.append(frame)
        self.view.apply(frame.id, frame.event)
        self.last_id = None if frame.event["type"] == "reset" else frame.id


async def frames_of(body: AsyncIterable[bytes]) -> AsyncGenerator[Frame, None]:
    """The specification's parser: an event is dispatched at an empty line, and only if it has data."""
    last_id: str | None = None
    data: list[str] = []
    retry: int | None = None
    buffer = b""
    async for chunk in body:
        buffer += chunk
        *lines, buffer = buffer.split(b"\n")
        for raw in lines:
            line = raw.decode().removesuffix("\r")
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if data:
                    yield Frame(last_id, json.loads("\n".join(data)), retry)
                data, retry = [], None
            elif name == "id":
                last_id = value
            elif name == "data":
                data.append(value)
            elif name == "retry":
                retry = int(value)
