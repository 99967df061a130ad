"""OpenAI's Responses, read: a response as an object, or as a stream that can be taken up after any of its events."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.consume_stream import frames, joining
from services.consume_stream.access import Access
from services.consume_stream.dialects.generations import Located
from services.consume_stream.dialects.telling import Teller, form_of
from shared import logs
from shared.dialects import response, response_ids
from shared.dialects.response_ids import ResponseId
from shared.dialects.response_refusals import not_found
from shared.events import Entry
from shared.http import ApiError

FORM = form_of({}, frames.PING)

_SEQUENCE_MAX = 2**31


class Responses:
    """The fold: numbered events, those up to a number left out.

    A takeover needs no cut: what was open is closed as incomplete, and what is new stands beside it.
    """

    def __init__(self, which: ResponseId, starting_after: int = -1) -> None:
        self.over = self.void = False
        self._response = response.Response(which)
        self._starting_after = starting_after
        self._number = 0

    def take(self, entries: list[Entry]) -> bytes:
        """The events of some more entries."""
        told = []
        for entry in entries:
            for event in self._response.take(entry):
                if self._number > self._starting_after:
                    data = frames.text_of(event | {"sequence_number": self._number})
                    told.append(f"event: {event['type']}\ndata: {data}\n\n")
                self._number += 1
        self.over = self._response.over
        return "".join(told).encode("utf-8", "replace")


class ResponseRoutes:
    """The route that reads a response."""

    def __init__(self, teller: Callable[[], Teller]) -> None:
        self._teller = teller

    def routes(self) -> list[Route]:
        """For the application."""
        return [Route("/v1/responses/{response}", self._retrieve, methods=["GET"])]

    async def _retrieve(self, request: Request) -> Response:
        which, after = self._asked(request)
        teller = self._teller()
        found = await self._find(teller, request, which)
        if request.query_params.get("stream", "false").lower() != "true":
            return JSONResponse(response.Response.of(which, found[1].entries))
        return await teller.tell(request, which.session, found, Responses(which, after), FORM, whole=True)

    def _asked(self, request: Request) -> tuple[ResponseId, int]:
        which = response_ids.parse(request.path_params["response"])
        if which is None:
            raise not_found(request.path_params["response"])
        logs.note(session=which.session, generation=which.generation)
        after = joining.whole_number(request, "starting_after", 0, _SEQUENCE_MAX)
        return which, -1 if after is None else after

    async def _find(self, teller: Teller, request: Request, which: ResponseId) -> tuple[Access, Located]:
        try:
            return await teller.find(request, which.session, which.generation)
        except ApiError as error:
            raise not_found(str(which)) if error.code == "session_not_found" else error from None
