"""An issuer of tokens: it signs what a test wants signed, publishes its keys (JWKS), changes them and breaks."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.fakes.listening import listening

NAME, AUDIENCE = "https://id.example", "rejoin"
SECRET = "a secret that has its thirty-two bytes, and more"
SETTINGS = {"REJOIN_AUTH": "jwt", "REJOIN_JWT_ISSUER": NAME, "REJOIN_JWT_AUDIENCE": AUDIENCE}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A new key for RS256."""
    return rsa.generate_private_key(65537, bits)


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """A new key for ES256, or of another curve."""
    return ec.generate_private_key(curve or ec.SECP256R1())


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says, but for the changes; `...` leaves a claim out."""
    said = {"iss": NAME, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 3600, **changes}
    return {name: value for name, value in said.items() if value is not ...}


def by_secret(secret: str = SECRET, **changes: Any) -> str:
    """A token that is signed by a secret."""
    return jwt.encode(_plain(claims(**changes)), secret, "HS256")


def public(key: PrivateKey, **more: Any) -> dict[str, Any]:
    """The public half, as a key set has it."""
    own = key.public_key()
    jwk = RSAAlgorithm.to_jwk(own, as_dict=True) if isinstance(own, rsa.RSAPublicKey) else _ec_jwk(own)
    jwk.pop("key_ops", None)
    return {**jwk, **more}


def _ec_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(key, as_dict=True)


def _plain(payload: dict[str, Any]) -> dict[str, Any]:
    # PyJWT's own check of `iss` would keep a test from signing a wrong one.
    return payload if isinstance(payload.get("iss", ""), str) else _Unchecked(payload)


class _Unchecked(dict[str, Any]):
    def copy(self) -> "_Unchecked":
        return self

    def __contains__(self, name: object) -> bool:
        return name != "iss" and super().__contains__(name)


@dataclass
class Issuer:
    """Its private keys by name, what it publishes of others, and how often it was asked."""

    keys: dict[str, PrivateKey] = field(default_factory=lambda: {"first": rsa_key(), "curved": ec_key()})
    besides: list[Any] = field(default_factory=list)
    """Members of the published set that are none of these keys."""
    reply: bytes | None = None
    """The whole response, in place of the right one; empty: the connection is closed without one."""
    stalls: bool = False
    asked: int = 0
    url: str = ""

    def token(self, kid: str = "first", **changes: Any) -> str:
        """A token that is signed by one of the keys."""
        key = self.keys[kid]
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(_plain(claims(**changes)), key, algorithm, {"kid": kid})

    def document(self) -> bytes:
        """The key set."""
        listed = [public(key, kid=kid, use="sig") for kid, key in self.keys.items()]
        return json.dumps({"keys": [*self.besides, *listed]}).encode()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.stalls:
                await asyncio.Event().wait()
            writer.write(response(self.document()) if self.reply is None else self.reply)
            await writer.drain()


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A response of HTTP."""
    head = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close"]
    return "\r\n".join([*head, "", ""]).encode() + body


@contextlib.asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    """An issuer on 127.0.0.1."""
    issuer = Issuer()
    async with listening(issuer.answer) as port:
        issuer.url = f"http://127.0.0.1:{port}/keys"
        yield issuer
