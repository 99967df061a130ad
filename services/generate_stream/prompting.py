"""Prompting: what every route that begins an answer does with a valid body, whatever dialect it came in."""

import base64
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import nanoid
from starlette.requests import Request

from services.generate_stream import starting, waiting
from services.generate_stream.bodies import StartBody
from services.generate_stream.producer import Producer
from shared import logs
from shared.access import address
from shared.access.address import Network
from shared.http import ApiError
from shared.view import Answer

_KEY_MAX_CHARACTERS = 128


class Begun(NamedTuple):
    """An answer that is being written."""

    session: str
    generation: int

    @property
    def where(self) -> dict[str, str | int]:
        """It in the words of the contract."""
        return {"sessionId": self.session, "generation": self.generation}


class Prompting:
    """Begins answers here, and waits for them."""

    def __init__(self, producer: Producer, generations_max: int, trusted_proxies: Sequence[Network]) -> None:
        self._producer = producer
        self._generations_max = generations_max
        self._trusted_proxies = trusted_proxies

    async def begin(self, request: Request, body: StartBody, owner: str, key: str = "") -> Begun:
        """Begin an answer, or find the one that this idempotency key began. Raises ApiError, and RedisAway."""
        session = body.sessionId or (_session_of(key, owner) if key else nanoid.generate())
        logs.note(session=session)
        client = address.client_address(request.scope, self._trusted_proxies)
        whence = self._producer.quotas.address(address.subject(client))
        generation = await starting.start(self._producer, body, session, key, self._generations_max, owner, whence)
        logs.note(generation=generation)
        return Begun(session, generation)

    async def answer(self, request: Request, begun: Begun) -> Answer:
        """The answer once it has its end. Raises ClientDisconnect when nobody waits for it any more, and ApiError."""
        waited_for = waiting.answer(self._producer, begun.session, begun.generation)
        return await waiting.with_client(request, waited_for)


def idempotency_key(request: Request) -> str:
    """The key that a request brings; empty without one. Raises ApiError with 400."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return ""
    if not 1 <= len(key) <= _KEY_MAX_CHARACTERS or not key.isascii() or not key.isprintable():
        message = f"Idempotency-Key takes 1 to {_KEY_MAX_CHARACTERS} printable ASCII characters."
        raise ApiError(400, "invalid_idempotency_key", message)
    return key


def _session_of(key: str, owner: str) -> str:
    """The session that an owner's key without one decides, the same on every replica."""
    # No key holds a line break: of two owners none can write down the other's.
    said = f"session of {key}" + (f"\n{owner}" if owner else "")
    return base64.urlsafe_b64encode(hashlib.sha256(said.encode()).digest())[:22].decode()
