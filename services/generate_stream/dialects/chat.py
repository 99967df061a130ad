"""The AI SDK's chat: begins what its transports ask for, and sends them on to where it is told."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.generate_stream import reading
from services.generate_stream.bodies import StartBody, StopBody
from services.generate_stream.dialects import chat_body, chat_place, models
from services.generate_stream.producer import Producer
from services.generate_stream.prompting import Prompting, idempotency_key
from shared import logs
from shared.access.gate import Gate
from shared.http import no_session


class Chats:
    """The routes."""

    def __init__(
        self,
        gate: Gate,
        producer: Callable[[], Producer],
        prompting: Callable[[], Prompting],
        bytes_max: tuple[int, int],
    ) -> None:
        self._gate = gate
        self._producer = producer
        self._prompting = prompting
        self._prompt_max_bytes, self._history_max_bytes = bytes_max

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/api/chat", self._start, methods=["POST"]),
            Route("/api/chat/{session}/stop", self._stop, methods=["POST"]),
        ]

    async def _start(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        key = idempotency_key(request)
        # The whole conversation comes each time, though the log has it: it is only looked through, and may take twice
        # what of it is kept, where a text may take six times its size.
        brought = await reading.read_json(request, self._prompt_max_bytes + self._history_max_bytes // 3)
        turn = chat_body.parse(brought)
        logs.note(session=turn.session)
        producer = self._producer()
        wanted = await chat_place.start(producer.log, turn, identity.owner)
        if "provider" not in wanted and isinstance(wanted.get("model"), str):
            wanted["provider"], wanted["model"] = models.chosen(producer.providers, wanted["model"])
        body = reading.validate(wanted, StartBody, self._prompt_max_bytes)
        key = chat_place.key(turn, wanted, key)
        begun = await self._prompting().begin(request, body, identity.owner, key)
        return RedirectResponse(f"/api/chat/{begun.session}/stream?generation={begun.generation}", 303)

    async def _stop(self, request: Request) -> Response:
        """Stop what runs; with a number, only that one."""
        identity = await self._gate.identity(request)
        asked: dict[str, object] = {"sessionId": request.path_params["session"]}
        if (number := request.query_params.get("generation")) is not None:
            asked["generation"] = _number(number)
        body = reading.validate(asked, StopBody, 0)
        logs.note(session=body.sessionId)
        match await self._producer().log.stop(body.sessionId, body.generation, identity.owner):
            case ["stopping", generation]:
                return JSONResponse({"stopped": True, "generation": int(generation)}, 202)
            case ["idle"]:
                return JSONResponse({"stopped": False})
            case _:
                raise no_session()


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
