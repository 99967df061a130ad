"""Polling: a piece of a log as JSON, at once or as soon as there is some, and where to read on."""

import asyncio
import contextlib
import json
import math
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request
from starlette.responses import Response

from services.consume_stream import joining
from services.consume_stream.admission import Admitted
from services.consume_stream.joining import Join
from services.consume_stream.subscription import Broken, Reset, Revoked
from shared.http import ApiError, no_session

_WAIT_MAX_S = 30.0
_ENTRIES_MAX = 500
_CLIENT_LEFT = 499


@dataclass(frozen=True)
class Poll:
    """What one request asks for, and how long it waits where there is nothing yet."""

    join: Join
    wait_s: float

    @classmethod
    def asked_for(cls, request: Request) -> Self:
        """Read the query. Raises ApiError with 400."""
        query = request.query_params
        session, after = joining.session_id(query.get("sessionId", "")), joining.resume_point(query.get("after", "0"))
        return cls(Join(session, after, joining.followed(request), "comment"), _wait_s(query.get("wait", "0")))

    async def answer(self, request: Request, admitted: Admitted) -> Response:
        """The entries after a position; one whom there is nothing more for is told so. Raises ApiError with 404."""
        reading = asyncio.create_task(self._read(admitted))
        leaving = asyncio.create_task(_leaving(request))
        try:
            await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
            return await reading if reading.done() else Response(status_code=_CLIENT_LEFT)
        finally:
            for task in (reading, leaving):
                task.cancel()
            await asyncio.gather(reading, leaving, return_exceptions=True)

    async def _read(self, admitted: Admitted) -> Response:
        subscription, right = admitted
        until = min(asyncio.get_running_loop().time() + self.wait_s, right.deadline or math.inf)
        messages: list[str] = []
        count, reset = 0, ""
        try:
            async with contextlib.aclosing(subscription.batches(until)) as batches:
                async for batch in batches:
                    if isinstance(batch, Reset):
                        messages, count, reset = [], 0, batch.reason
                        continue
                    messages += batch.messages
                    count += len(batch)
                    # Behind an end there may be another answer: one more look tells whether this was all.
                    if not subscription.ended or count >= _ENTRIES_MAX:
                        break
        except (Broken, Revoked):
            raise no_session() from None
        return _page(messages, str(subscription.position), over=subscription.over, reset=reset)


def _wait_s(text: str) -> float:
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = math.nan
    if not 0 <= wait_s <= _WAIT_MAX_S:
        raise ApiError(400, "invalid_wait", f"wait takes seconds from 0 to {_WAIT_MAX_S:g}.")
    return wait_s


async def _leaving(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _page(messages: list[str], position: str, *, over: bool, reset: str = "") -> Response:
    told = {"reset": reset} if reset else {}
    tail = json.dumps({"next": position, "over": over} | told, separators=(",", ":"))[1:]
    return Response(f'{{"entries":[{",".join(messages)}],{tail}', media_type="application/json")
