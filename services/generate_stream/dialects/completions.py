"""OpenAI's Chat Completions, asked: each request is a session of its own, its stream is read from consume-stream."""

from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.generate_stream import reading
from services.generate_stream.dialects import completions_body, models
from services.generate_stream.dialects.completions_refusals import in_their_words
from services.generate_stream.prompting import Begun, Prompting, idempotency_key
from services.generate_stream.providers import Provider
from shared.access.gate import Gate
from shared.dialects import completion
from shared.dialects.begun import NO_RETRY, led_to, without_retry
from shared.dialects.completion_refusals import failed
from shared.http import ApiError
from shared.view import Answer


class Completions:
    """The routes that begin completions and tell of models."""

    def __init__(
        self, gate: Gate, prompting: Callable[[], Prompting], providers: dict[str, Provider], prompt_max_bytes: int
    ) -> None:
        self._gate = gate
        self._prompting = prompting
        self._providers = providers
        self._prompt_max_bytes = prompt_max_bytes

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/v1/chat/completions", self._create, methods=["POST"]),
            Route("/v1/models", self._models, methods=["GET"]),
            Route("/v1/models/{model:path}", self._model, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        identity = await self._gate.identity(request)
        key = idempotency_key(request)
        document = await reading.read_json(request, self._prompt_max_bytes)
        try:
            parsed = completions_body.parse(document)
            provider, model = models.chosen(self._providers, parsed.body.model)
            body = completions_body.start_body(parsed, provider, model, self._prompt_max_bytes)
            begun = await self._prompting().begin(request, body, identity.owner, key)
        except ApiError as error:
            raise in_their_words(error) from None
        if parsed.body.stream:
            usage = "&include_usage=true" if parsed.body.include_usage else ""
            name = completion.id_of(begun.session, begun.generation)
            return RedirectResponse(led_to(f"/v1/chat/completions/{name}?stream=true{usage}", key), 303)
        try:
            answer = await self._prompting().answer(request, begun)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it, and the answer goes on
        except ApiError as error:
            error.headers = without_retry(error.headers, key)
            raise
        return _answered(begun, answer)

    async def _models(self, request: Request) -> Response:
        await self._gate.identity(request)
        return JSONResponse({"object": "list", "data": list(self._offered().values())})

    async def _model(self, request: Request) -> Response:
        await self._gate.identity(request)
        found = self._offered().get(request.path_params["model"])
        if found is None:
            raise ApiError(404, "model_not_found", "There is no such model here.")
        return JSONResponse(found)

    def _offered(self) -> dict[str, dict[str, str | int]]:
        told: dict[str, dict[str, str | int]] = {}
        for provider in self._providers.values():
            for model in provider.models:
                told.setdefault(model, {"id": model, "object": "model", "created": 0, "owned_by": provider.name})
        return told


def _answered(begun: Begun, answer: Answer) -> Response:
    if answer.status != "failed":
        return JSONResponse(completion.completion(begun.session, answer))
    # Where nothing was written, nothing was paid for: then it is the client's to try again.
    free = answer.end.get("retryable") is True and not (answer.text or answer.reasoning or answer.tool_calls)
    headers = {} if free else NO_RETRY
    raise failed(answer, headers)
