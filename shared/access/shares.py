"""Share links: what a session's owner has granted, signed; meta holds the same until it is revoked."""

from dataclasses import dataclass
from typing import Any, Self

import jwt

from shared.access.identity import Right
from shared.http import ApiError
from shared.settings import Settings

_ALGORITHM = "HS256"
_AUDIENCE = "rejoin-share"
_TOKEN_MAX_CHARACTERS = 1024


@dataclass(frozen=True)
class Share:
    """Leave to read one session, or one generation of it, until a time."""

    session: str
    generation: int | None
    id: str
    expires_at: int
    """Unix time, s."""

    @property
    def field(self) -> str:
        """The field of meta that stands for it."""
        return f"share:{self.id}"

    @property
    def value(self) -> str:
        """What that field holds."""
        return f"{self.generation or ''} {self.expires_at}"

    @property
    def right(self) -> Right:
        """What makes the session readable: gone when the share is revoked, or the session deleted."""
        return Right(self.field, self.value)

    @classmethod
    def of_meta(cls, session: str, field: str, value: str) -> Self:
        """A share as meta holds it."""
        generation, expires_at = value.split(" ")
        return cls(session, int(generation) if generation else None, field.removeprefix("share:"), int(expires_at))


class Shares:
    """Signs shares, and knows its own signature again. Without a key there is no sharing."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """None while nobody is asked who they are: a session's id opens it then."""
        return cls(settings.share_key if settings.auth == "jwt" else b"")

    @property
    def on(self) -> bool:
        """Whether sessions can be shared here."""
        return bool(self._key)

    def sign(self, share: Share) -> str:
        """The token of a link."""
        claims = {"aud": _AUDIENCE, "sid": share.session, "jti": share.id, "exp": share.expires_at}
        if share.generation is not None:
            claims["gen"] = share.generation
        return jwt.encode(claims, self._key, _ALGORITHM)

    def read(self, token: str, session: str) -> Share:
        """The share that a token grants to a session. Raises ApiError with 401."""
        claims = self._claims(token)
        generation, share_id, expires_at = claims.get("gen"), claims.get("jti"), claims["exp"]
        if claims.get("sid") != session or not isinstance(share_id, str):
            raise _invalid()
        return Share(session, generation, share_id, int(expires_at))

    def _claims(self, token: str) -> dict[str, Any]:
        if not self._key or len(token) > _TOKEN_MAX_CHARACTERS:
            raise _invalid()
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, [_ALGORITHM], audience=_AUDIENCE, options={"require": ["exp", "sid", "jti"]}
            )
        except jwt.ExpiredSignatureError:
            raise ApiError(401, "share_expired", "This link has expired.") from None
        except (jwt.InvalidTokenError, UnicodeError):
            raise _invalid() from None
        return claims


def _invalid() -> ApiError:
    return ApiError(401, "share_invalid", "This link is no good: it was not made here, or not for this session.")
