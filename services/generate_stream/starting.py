"""Starting: from a request to a generation that runs here, or to the reason why none begins."""

import asyncio
import contextlib
import logging

import nanoid
from redis.exceptions import ResponseError

from services.generate_stream import answers
from services.generate_stream.attempt import Ask, Fields
from services.generate_stream.bodies import StartBody
from services.generate_stream.producer import Producer
from services.generate_stream.providers import Provider
from shared import logs, tracing
from shared.http import ApiError, no_session
from shared.redis import is_full, retried

_log = logging.getLogger(__name__)


async def start(
    producer: Producer,
    body: StartBody,
    session: str,
    idempotency_key: str,
    generations_max: int,
    owner: str = "",
    address: str = "",
) -> int:
    """Begin a generation, or find the one that this key began; returns its number.

    `address` is a subject of quotas. Raises ApiError with 404, 409, 422, 429 or 503, and RedisAway.
    """
    if producer.draining:
        raise ApiError(503, "draining", "This process takes no new work. Try again.", retry=True)
    if producer.full:
        raise ApiError(503, "too_many_running", "Too many answers are being written here.", retry=True)
    provider = _provider(producer, body)
    model = body.model or provider.models[0]
    token = nanoid.generate()
    who = producer.log.producer
    cause = (logs.subject().get("request_id", ""), tracing.current().traceparent)
    ask = Ask(session, body, provider.name, model, token, who, idempotency_key, *cause, owner, address, body.after)
    with producer.place():
        share = producer.quotas.share(session, owner, address)
        await share.take(token)
        told = ask.told()
        try:
            ask, unexpected = await retried(lambda: answers.expecting(producer.log, ask))
            reply, score = await _begun(producer, ask, told, generations_max, refuse=unexpected is not None)
        except ApiError:
            await share.give_back(token)
            raise
        if reply[0] == "started":
            decided = body.model_copy(update={"after": ask.after})
            producer.run(ask.begun(int(reply[1]), int(reply[2]), told), decided, score, share)
            return int(reply[1])
        await share.give_back(token if reply[0] == "same" else "")
        if reply[0] != "same":
            raise (unexpected if reply[0] == "refused" else None) or _refusal(reply, generations_max)
    return int(reply[1])


def _provider(producer: Producer, body: StartBody) -> Provider:
    provider = producer.providers.get(body.provider or next(iter(producer.providers)))
    if provider is None:
        raise ApiError(422, "provider_unknown", f"provider: this server has {', '.join(producer.providers)}.")
    if body.format and body.format.type not in provider.formats:
        message = f"format: {provider.name} has no {body.format.type}, only {', '.join(provider.formats)}."
        raise ApiError(422, "unsupported_parameter", message, param="format")
    return provider


async def _begun(
    producer: Producer, ask: Ask, told: Fields, generations_max: int, *, refuse: bool = False
) -> tuple[list[str], float]:
    log = producer.log

    async def entered_and_begun() -> tuple[float, list[str]]:
        # One write for both (0.1 ms of CPU less); the wire keeps their order. Sent again with the same token,
        # the script tells what it has begun.
        entering = asyncio.create_task(log.enter_running(ask.session))
        if not log.beside_index(ask.session):
            # Where the index is away none begins: nobody would take it over, and it would run for ever in meta.
            with contextlib.suppress(ResponseError):
                await asyncio.shield(entering)
        starting = log.start(ask, told, generations_max, refuse=refuse)
        entered, begun = await asyncio.gather(entering, starting, return_exceptions=True)
        if isinstance(begun, BaseException):
            raise begun
        if isinstance(entered, ResponseError):
            # At maxmemory, and there was room again a moment later. Its writer enters it at once: until then nobody
            # would take it over.
            logs.warning(_log, "not in the index of running generations", session=ask.session, cause=str(entered))
            entered = 0.0
        if isinstance(entered, BaseException):
            raise entered
        return entered, begun

    try:
        score, reply = await retried(entered_and_begun)
    except ResponseError as refusal:
        if not is_full(refusal):
            raise
        raise ApiError(503, "storage_full", "The log has no room for new answers.", retry=True) from None
    if reply[0] == "unknown" and "running" in reply:
        # Another's answer: its place in the index is again what it was, or nobody might take it over.
        await log.enter_running(ask.session, float(reply[2]))
    elif reply[0] != "started" and "running" not in reply:
        # Nothing runs in this session; what runs needs its entry in the index, whoever made it.
        await log.leave_running(ask.session, score)
    return reply, score


def _refusal(reply: list[str], generations_max: int) -> ApiError:
    match reply:
        case ["running", generation]:
            message = f"Generation {generation} of this session is being written."
            return ApiError(409, "generation_running", message, generation=int(generation))
        case ["reused", _]:
            message = "This Idempotency-Key came before, with another body."
            return ApiError(422, "idempotency_key_reused", message)
        case ["unknown", *_]:
            return no_session()
        case ["full"]:
            message = f"A session takes {generations_max} generations. Begin a new one."
            return ApiError(409, "session_full", message)
        case ["after_unknown"]:
            return ApiError(422, "after_unknown", "after: this session has no such generation.")
        case _:
            return ApiError(422, "replaces_unknown", "replaces: this session has no such generation.")
