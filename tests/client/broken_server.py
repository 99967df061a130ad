"""A consume-stream without a network: it breaks off after so many bytes, says no, ends too early, or repeats itself."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import NamedTuple

import httpx2

from services.consume_stream import frames
from shared.events import Entry
from shared.position import parse


class Turn(NamedTuple):
    """What becomes of one connection."""

    kind: str
    """`cut` after so many bytes, `end` cleanly there, `503`, `page` (something else, as a hotel has it)."""
    after_bytes: int = 0
    pieces_bytes: int = 7


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body in pieces, and how it ends."""

    def __init__(self, body: bytes, piece_bytes: int, *, cut: bool) -> None:
        self._pieces = [body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes)]
        self._cut = cut

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._cut:
            raise httpx2.ReadError("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class BrokenServer:
    """Serves one log, whose last entry is an end. Each connection has its turn, and after all of them all is well."""

    def __init__(self, log: Sequence[Entry], turns: Sequence[Turn], *, repeats: int = 0, token: str = "") -> None:
        self._log = log
        self._turns = list(turns)
        self._repeats = repeats
        self._token = token
        self.asked: list[httpx2.Request] = []

    def transport(self) -> httpx2.MockTransport:
        """The way to it, for both clients."""
        return httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        turn = self._turns.pop(0) if self._turns else Turn("whole")
        if self._token and request.headers.get("Authorization") != f"Bearer {self._token}":
            return httpx2.Response(401, json={"error": {"code": "token_expired", "message": "The token is over."}})
        if turn.kind == "503":
            error = {"error": {"code": "draining", "message": "Not now."}}
            return httpx2.Response(503, json=error, headers={"Retry-After": "0"})
        if turn.kind == "page":
            return httpx2.Response(200, html="<h1>Welcome to the hotel</h1>")
        after = parse(request.url.params.get("lastEventId", "0"))
        left = [entry for entry in self._log if entry.id > after]
        if not left:
            return httpx2.Response(204)
        before = [entry for entry in self._log if entry.id <= after][-self._repeats or len(self._log) :]
        body = frames.PING + frames.retry(1500) + frames.encode([*before, *left])
        if turn.kind == "whole":
            stream = Pieces(body, turn.pieces_bytes, cut=False)
        else:
            stream = Pieces(body[: turn.after_bytes], turn.pieces_bytes, cut=turn.kind == "cut")
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, stream=stream)


def entry(position: str, **fields: str) -> Entry:
    """One entry of a log."""
    return Entry(parse(position), fields)
