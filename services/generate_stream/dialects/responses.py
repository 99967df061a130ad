"""OpenAI's Responses, written: begun, cancelled, deleted. Reading them is consume-stream's."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.generate_stream import erasing, reading
from services.generate_stream.bodies import StartBody
from services.generate_stream.dialects import models, responses_body
from services.generate_stream.dialects.responses_body import Asked
from services.generate_stream.producer import Producer
from services.generate_stream.prompting import Begun, Prompting, idempotency_key
from shared import logs
from shared.access.gate import Gate
from shared.dialects import response, response_ids
from shared.dialects.begun import led_to, without_retry
from shared.dialects.response_ids import ResponseId
from shared.dialects.response_refusals import not_found, previous_not_found
from shared.http import ApiError

_END_WITHIN_S = 15.0
"""After a cancel; a producer that died meanwhile is taken over in 8."""


class Responses:
    """The routes that change what there is of responses."""

    def __init__(
        self, gate: Gate, producer: Callable[[], Producer], prompting: Callable[[], Prompting], prompt_max_bytes: int
    ) -> None:
        self._gate = gate
        self._producer = producer
        self._prompting = prompting
        self._prompt_max_bytes = prompt_max_bytes

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/v1/responses", self._create, methods=["POST"]),
            Route("/v1/responses/{response}", self._delete, methods=["DELETE"]),
            Route("/v1/responses/{response}/cancel", self._cancel, methods=["POST"]),
        ]

    async def _create(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        key = idempotency_key(request)
        asked = responses_body.parse(await reading.read_json(request, self._prompt_max_bytes))
        body = self._body(asked)
        if asked.previous and not await self._entries(asked.previous):
            raise previous_not_found(str(asked.previous))
        try:
            begun = await self._prompting().begin(request, body, identity.owner, key)
        except ApiError as error:
            if asked.previous and error.code in ("session_not_found", "after_unknown"):
                raise previous_not_found(str(asked.previous)) from None
            raise error if error.status != 422 else _in_their_words(error) from None
        which = ResponseId(*begun)
        if asked.stream:
            return RedirectResponse(led_to(f"/v1/responses/{which}?stream=true", key), 303)
        if not asked.background:
            try:
                await self._prompting().answer(request, begun)
            except ClientDisconnect:
                return Response(status_code=499)  # nobody reads it, and the answer goes on
            except ApiError as error:
                error.facts = {"response_id": str(which)}
                error.headers = without_retry(error.headers, key)
                raise
        return JSONResponse(await self._object(which) | asked.echo)

    async def _cancel(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        which = _asked(request)
        await self._stopped(request, which, identity.owner)
        return JSONResponse(await self._object(which))

    async def _delete(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        which = _asked(request)
        await self._stopped(request, which, identity.owner)
        match await erasing.erase(self._producer().log, which.session, which.generation, identity.owner):
            case "erased":
                return JSONResponse({"id": str(which), "object": "response", "deleted": True})
            case "running":
                message = "It is still being written: try again."
                raise ApiError(409, "generation_running", message, retry=True, generation=which.generation)
            case _:
                raise not_found(str(which))

    async def _stopped(self, request: Request, which: ResponseId, owner: str) -> None:
        """Stop it where it runs, and wait for its end, but not for ever."""
        match await self._producer().log.stop(which.session, which.generation, owner):
            case ["stopping", _]:
                with contextlib.suppress(TimeoutError, ClientDisconnect):
                    async with asyncio.timeout(_END_WITHIN_S):
                        await self._prompting().answer(request, Begun(*which))
            case ["unknown"]:
                raise not_found(str(which))

    def _body(self, asked: Asked) -> StartBody:
        provider, model = models.chosen(self._producer().providers, asked.model)
        start = asked.start | {"provider": provider, "model": model}
        try:
            return reading.validate(start, StartBody, self._prompt_max_bytes)
        except ApiError as error:
            raise _in_their_words(error) from None

    async def _entries(self, which: ResponseId) -> list[Any]:
        return await erasing.entries(self._producer().log, which.session, which.generation)

    async def _object(self, which: ResponseId) -> dict[str, Any]:
        entries = await self._entries(which)
        if not entries:
            raise not_found(str(which))
        return response.Response.of(which, entries)


def _asked(request: Request) -> ResponseId:
    which = response_ids.parse(request.path_params["response"])
    if which is None:
        raise not_found(request.path_params["response"])
    logs.note(session=which.session, generation=which.generation)
    return which


def _in_their_words(error: ApiError) -> ApiError:
    message, param = responses_body.theirs(error.message)
    return ApiError(400 if error.status == 422 else error.status, error.code, message, param=param)
