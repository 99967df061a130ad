"""Waiting for a whole answer, for clients that do not stream."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from services.generate_stream.log import Log
from services.generate_stream.producer import Producer
from services.generate_stream.writer import LOST, RELEASED
from shared import events
from shared.http import ApiError
from shared.view import Answer, View

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
    found = await read(producer.log, session, generation)
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


async def read(log: Log, session: str, generation: int) -> Answer | None:
    """One generation as the log has it; None where it has nothing of it."""
    entries = []
    async for entry in log.back(session):
        number = entry.fields.get("generation", "")
        if number == str(generation):
            entries.append(entry)
            if events.is_started(entry.fields):
                break
        elif number.isdigit() and int(number) < generation:
            break
    view = View()
    for entry in reversed(entries):
        view.apply(str(entry.id), events.event(entry.fields))
    return view.answers.get(generation)
