"""OpenAI's Chat Completions, read: the stream that a question was redirected to, and the whole answer."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.consume_stream import frames
from services.consume_stream.dialects import queries
from services.consume_stream.dialects.completions_fold import CompletionFold
from services.consume_stream.dialects.telling import Teller, form_of
from shared import logs
from shared.dialects import completion
from shared.dialects.begun import NO_RETRY
from shared.dialects.completion_refusals import failed
from shared.http import ApiError, no_session

FORM = form_of({}, frames.PING)


class Completions:
    """The routes of completions that were begun by generate-stream."""

    def __init__(self, teller: Callable[[], Teller]) -> None:
        self._teller = teller

    def routes(self) -> list[Route]:
        """For the application."""
        return [Route("/v1/chat/completions/{completion}", self._read, methods=["GET"])]

    async def _read(self, request: Request) -> Response:
        name = request.path_params["completion"]
        place = completion.place_of(name)
        if place is None:
            raise no_session()
        session, generation = place
        logs.note(session=session)
        include_usage, is_streamed = (queries.flag(request, name) for name in ("include_usage", "stream"))
        teller = self._teller()
        found = await teller.find(request, session, generation)
        if is_streamed:
            return await teller.tell(request, session, found, CompletionFold(name, include_usage=include_usage), FORM)
        answer = found[1].answer
        if answer.status == "running":
            raise ApiError(409, "generation_running", "The answer is still being written: add stream=true.")
        if answer.status == "failed":
            raise failed(answer, NO_RETRY)
        return JSONResponse(completion.completion(session, answer))
