"""Waiting for a whole answer, for clients that do not stream."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from services.generate_stream import answers
from services.generate_stream.producer import Producer
from services.generate_stream.writer import LOST, RELEASED
from shared.http import ApiError
from shared.view import Answer

_POLL_S = 0.25

T = TypeVar("T")


async def answer(producer: Producer, session: str, generation: int) -> Answer:
    """The answer once it has its end, whichever process writes it.

    Raises ApiError: 404 when the session is gone, 503 `handed_over` when this process has to let go of it.
    """
    handed_over = ApiError(503, "handed_over", "The answer goes on elsewhere: follow it.", retry=True)
    running = producer.running(session, generation)
    if running:
        with running.awaited():
            outcome = await asyncio.shield(running.over)
        if outcome in (RELEASED, LOST):
            raise handed_over
    while await producer.log.runs(session, generation):
        if producer.draining:
            raise handed_over
        await asyncio.sleep(_POLL_S)
    found = await answers.read(producer.log, session, generation)
    if found is None:
        raise ApiError(404, "session_not_found", "This session is gone.")
    return found


async def with_client(request: Request, waited_for: Coroutine[None, None, T]) -> T:
    """Wait for something as long as the client does. Raises ClientDisconnect when it has gone."""
    work = asyncio.ensure_future(waited_for)
    gone = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()
        gone.cancel()


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
