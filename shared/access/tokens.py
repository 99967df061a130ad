"""Tokens: what one must be for somebody to be who it says, and who that is."""

import base64
import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import jwt
from jwt import PyJWK, PyJWTError

from shared.access.identity import Identity

MAX_CHARACTERS = 8192
_NAME_MAX_CHARACTERS = 256
_LATEST = 2**53
"""A time after which numbers of JSON are no longer exact, and dates no longer dates."""


class Refused(Exception):
    """A token that makes nobody of whoever brings it. The text never repeats it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Keys(Protocol):
    """What tokens are verified by."""

    async def find(self, kid: str | None) -> PyJWK | None: ...

    async def close(self) -> None: ...


class Secret:
    """One secret that the issuer has too (HS256)."""

    def __init__(self, secret: str) -> None:
        encoded = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
        self._key = PyJWK({"kty": "oct", "alg": "HS256", "k": encoded})

    async def find(self, kid: str | None) -> PyJWK:
        """The same for every token."""
        del kid
        return self._key

    async def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True)
class Claims:
    """What a token must say."""

    issuer: str
    audience: str
    leeway_s: float
    tenant: str | None = None
    """The name of the claim that has the tenant; none where there are no tenants."""


class Tokens:
    """Whose a token is."""

    def __init__(self, keys: Keys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims

    async def identity(self, token: str) -> Identity:
        """Who the bearer of this token is. Raises Refused, and KeysAway where nobody can tell."""
        if len(token) > MAX_CHARACTERS:
            raise Refused("token_invalid", f"The token is longer than {MAX_CHARACTERS} characters")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(kid)
            if key is None:
                raise Refused("token_invalid", "The token is signed by a key that is not its issuer's")
            # The algorithm is the key's. What the token says of itself is compared with that, and never followed.
            payload = jwt.decode(
                token,
                key,
                [key.algorithm_name],
                {"require": ["exp", "sub", "iss", "aud"]},
                audience=self._claims.audience,
                issuer=self._claims.issuer,
                leeway=self._claims.leeway_s,
            )
        except jwt.ExpiredSignatureError:
            raise Refused("token_expired", "The token is over") from None
        except PyJWTError as error:
            raise Refused("token_invalid", _why(error)) from None
        expires_at = _expiry(payload)
        if expires_at <= time.time():
            # Let in by the leeway, for as long as that lasts: to close at once would have it come back at once.
            expires_at += self._claims.leeway_s
        return Identity(self._owner(payload), expires_at)

    async def close(self) -> None:
        """Let go of the keys."""
        await self._keys.close()

    def _owner(self, payload: dict[str, Any]) -> str:
        subject = _name(payload, "sub", "sub")
        if self._claims.tenant is None:
            return subject
        tenant = _name(payload, self._claims.tenant, "tenant") if self._claims.tenant in payload else ""
        return f"{quote(tenant, safe='')}:{subject}"


def _name(payload: dict[str, Any], claim: str, told_as: str) -> str:
    value = payload[claim]
    if not isinstance(value, str) or not 1 <= len(value) <= _NAME_MAX_CHARACTERS or not value.isprintable():
        raise Refused("token_invalid", f"The token's {told_as} takes 1 to {_NAME_MAX_CHARACTERS} printable characters")
    return value


def _expiry(payload: dict[str, Any]) -> float:
    value = payload["exp"]
    if isinstance(value, bool) or not isinstance(value, int | float) or value > _LATEST:
        raise Refused("token_invalid", "The token's exp takes a Unix time in seconds")
    return float(value)


_REASONS: dict[type[PyJWTError], str] = {
    jwt.ImmatureSignatureError: "The token is not valid yet",
    jwt.InvalidAudienceError: "The token is for another audience",
    jwt.InvalidIssuerError: "The token is from another issuer",
    jwt.InvalidSignatureError: "The token's signature is not its issuer's",
    jwt.InvalidAlgorithmError: "The token is signed by an algorithm that is not its key's",
}


def _why(error: PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token has no {error.claim}"
    return next((reason for kind, reason in _REASONS.items() if isinstance(error, kind)), "The token is malformed")
