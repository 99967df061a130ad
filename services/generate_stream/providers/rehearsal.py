"""A rehearsal: one request that meets a canned answer in this very process, so that the next ones find all in place."""

import copy
import logging
from collections.abc import AsyncGenerator
from typing import Any, Protocol, TypeVar

import anyio.lowlevel
import httpx2

from services.generate_stream.providers import ChatRequest, Message, Part


class Player(Protocol):
    """A provider that stands on an SDK's client."""

    models: tuple[str, ...]
    client: Any

    def stream(self, request: ChatRequest) -> AsyncGenerator[Part, None]: ...


_log = logging.getLogger(__name__)

_P = TypeVar("_P", bound=Player)


async def rehearse(player: _P, canned: str) -> None:
    """Ask a double of `player`, whose HTTP client answers with these events. No request leaves the process.

    The SDKs import and build at their first request what they have put off until then (anyio's event loop, tracing,
    the parsers of their types): some 25 ms, which the first prompt of a process would wait for. It never raises: a
    process may do without, whatever an SDK thinks of a rehearsal.
    """

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, text=canned)

    try:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), trust_env=False) as http_client:
            double = copy.copy(player)
            double.client = player.client.with_options(http_client=http_client)
            # The real transport's share: it imports anyio's event loop when it first waits for something.
            await anyio.lowlevel.checkpoint()
            async for _ in double.stream(ChatRequest(player.models[0], [Message("user", "Hello.")])):
                pass
    except Exception:  # noqa: BLE001 - see above
        _log.warning("the rehearsal of a provider failed", exc_info=True)
