"""OpenAI's Responses, read: an object, a stream that can be taken up after any of its events, what was asked."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.consume_stream import frames, joining
from services.consume_stream.access import Access
from services.consume_stream.dialects import queries, responses_items
from services.consume_stream.dialects.generations import Located
from services.consume_stream.dialects.telling import Teller, form_of
from shared import logs
from shared.dialects import response, response_ids
from shared.dialects.response_ids import ResponseId
from shared.dialects.response_refusals import SAME_LENGTH, invalid, not_found, refuse_unless_told, unsupported
from shared.events import Entry
from shared.http import ApiError

FORM = form_of({}, frames.PING)

_SEQUENCE_MAX = 2**31
_PAGE = 20
_PAGE_MAX = 100


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
    """The routes that read a response."""

    def __init__(self, teller: Callable[[], Teller]) -> None:
        self._teller = teller

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/v1/responses/{response}", self._retrieve, methods=["GET"]),
            Route("/v1/responses/{response}/input_items", self._input_items, methods=["GET"]),
        ]

    async def _retrieve(self, request: Request) -> Response:
        which = self._asked(request)
        after = joining.whole_number(request, "starting_after", 0, _SEQUENCE_MAX)
        if queries.flag(request, "include_obfuscation"):
            raise unsupported("include_obfuscation", SAME_LENGTH)
        is_streamed = queries.flag(request, "stream")
        teller = self._teller()
        found = await self._find(teller, request, which)
        if not is_streamed:
            return JSONResponse(response.Response.of(which, found[1].entries))
        fold = Responses(which, -1 if after is None else after)
        return await teller.tell(request, which.session, found, fold, FORM, whole=True)

    async def _input_items(self, request: Request) -> Response:
        which = self._asked(request)
        order = queries.choice(request, "order", ("desc", "asc"))
        limit = joining.whole_number(request, "limit", 1, _PAGE_MAX) or _PAGE
        _, located = await self._find(self._teller(), request, which)
        items = responses_items.items(which, located.entries)
        told = items if order == "asc" else items[::-1]
        page = responses_items.page(told, after=request.query_params.get("after"), limit=limit)
        if page is None:
            raise invalid("after", "there is no such item here")
        return JSONResponse(page)

    def _asked(self, request: Request) -> ResponseId:
        which = response_ids.parse(request.path_params["response"])
        if which is None:
            raise not_found(request.path_params["response"])
        logs.note(session=which.session, generation=which.generation)
        # The official clients write a list with brackets.
        refuse_unless_told(request.query_params.getlist("include") + request.query_params.getlist("include[]"))
        return which

    async def _find(self, teller: Teller, request: Request, which: ResponseId) -> tuple[Access, Located]:
        try:
            return await teller.find(request, which.session, which.generation)
        except ApiError as error:
            raise not_found(str(which)) if error.code == "session_not_found" else error from None
