"""Tokens that are not what they say: each with the reason why somebody might take it for one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from tests.fakes.issuer import Issuer, PrivateKey, claims, ec_key, public, rsa_key

OTHER, WEAK = rsa_key(), rsa_key(1024)
UNFIT: dict[str, tuple[PrivateKey, str, dict[str, Any]]] = {
    "for encryption": (OTHER, "RS256", {"use": "enc"}),
    "for another algorithm": (OTHER, "RS256", {"alg": "RS512"}),
    "to sign and not to verify": (OTHER, "RS256", {"key_ops": ["sign"]}),
    "with a use that is no word": (OTHER, "RS256", {"use": 1}),
    "weak": (WEAK, "RS256", {}),
    "of another curve": (ec_key(ec.SECP384R1()), "ES384", {}),
}
"""Keys that the issuer publishes, and that no token may be signed by."""


def unfit_members() -> list[Any]:
    """The same as members of a key set, with some that are no keys at all."""
    private = {**RSAAlgorithm.to_jwk(OTHER, as_dict=True), "kid": "private"}
    nothing = [None, 1, "key", {}, {"kid": "x"}, {"kid": "y", "kty": "RSA"}, {"kid": "z", "kty": ["RSA"], "n": 1}]
    secret = {"kty": "oct", "kid": "secret", "k": encoded(b"k" * 32), "alg": "HS256"}
    return [*nothing, secret, private, *(public(key, kid=kid, **more) for kid, (key, _, more) in UNFIT.items())]


def encoded(data: bytes) -> str:
    """Base64url without its padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def assembled(header: object, payload: object, sign: Callable[[bytes], bytes]) -> str:
    """A token made by hand, for what no library signs."""
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(payload).encode())}"
    return f"{text}.{encoded(sign(text.encode()))}"


def _by_hmac(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hmac.digest(secret, text, hashlib.sha256)


def _unsigned(_: bytes) -> bytes:
    return b""


def _confused(issuer: Issuer, kid: str, layout: PublicFormat) -> str:
    encoding = Encoding.X962 if layout is PublicFormat.UncompressedPoint else Encoding.PEM
    known_to_all = issuer.keys[kid].public_key().public_bytes(encoding, layout)
    return assembled({"alg": "HS256", "typ": "JWT", "kid": kid}, claims(), _by_hmac(known_to_all))


def _signed(key: PrivateKey, algorithm: str, **header: Any) -> str:
    if key is WEAK:  # PyJWT warns of it
        return assembled({"alg": algorithm, **header}, claims(), lambda text: WEAK.sign(text, PKCS1v15(), SHA256()))
    return jwt.encode(claims(), key, algorithm, header)


def _swapped(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    return f"{head}.{encoded(json.dumps(claims(sub='eve')).encode())}.{signature}"


FORGERIES: dict[str, Callable[[Issuer], str]] = {
    **{
        f"alg {alg!r}": lambda _, alg=alg: assembled({"alg": alg, "kid": "first"}, claims(), _unsigned)  # type: ignore[misc]
        for alg in ("none", "None", "nOnE", "", None, 1, ["RS256"], {"RS256": 1})
    },
    "alg none over a good signature": lambda i: encoded(b'{"alg":"none"}') + "." + i.token().partition(".")[2],
    "no alg": lambda _: assembled({"kid": "first"}, claims(), _unsigned),
    "HS256 by the public key (PEM)": lambda i: _confused(i, "first", PublicFormat.SubjectPublicKeyInfo),
    "HS256 by the public key (PKCS1)": lambda i: _confused(i, "first", PublicFormat.PKCS1),
    "HS256 by the public key (point)": lambda i: _confused(i, "curved", PublicFormat.UncompressedPoint),
    "HS256 by nothing": lambda _: assembled({"alg": "HS256", "kid": "first"}, claims(), _by_hmac(b"")),
    "HS256 by a published secret": lambda _: assembled(
        {"alg": "HS256", "kid": "secret"}, claims(), _by_hmac(b"k" * 32)
    ),
    "another key of the same name": lambda _: _signed(OTHER, "RS256", kid="first"),
    "another key, its own name": lambda _: _signed(OTHER, "RS256", kid="never published"),
    "no name": lambda i: _signed(i.keys["first"], "RS256"),
    "a name that is none": lambda i: assembled({"alg": "RS256", "kid": 1}, claims(), _unsigned),
    "the name of a published private key": lambda _: _signed(OTHER, "RS256", kid="private"),
    "another algorithm of the key": lambda i: _signed(i.keys["first"], "RS512", kid="first"),
    "PS256 of the key": lambda i: _signed(i.keys["first"], "PS256", kid="first"),
    "ES256 said, RS256 done": lambda i: encoded(b'{"alg":"ES256","kid":"curved"}') + "." + i.token().partition(".")[2],
    "RS256 said, ES256 done": lambda i: _signed(i.keys["curved"], "ES256", kid="first"),
    "a key of its own in the header": lambda _: _signed(OTHER, "RS256", kid="first", jwk=public(OTHER)),
    "an address of keys in the header": lambda i: _signed(OTHER, "RS256", kid="eve", jku=i.url, x5u=i.url),
    "a critical header that nobody knows": lambda i: _signed(i.keys["first"], "RS256", kid="first", crit=["b64x"]),
    "other claims under the signature": _swapped,
    "no signature": lambda i: i.token().rpartition(".")[0] + ".",
    "half a signature": lambda i: i.token()[:-100],
    "a signature of zeros": lambda i: i.token("curved").rpartition(".")[0] + "." + encoded(bytes(64)),
    "two parts": lambda i: i.token().rpartition(".")[0],
    "five parts": lambda i: i.token() + ".AAAA.AAAA",
    "no parts": lambda _: "token",
    "dots": lambda _: "..",
    "a header that is no object": lambda _: assembled([], claims(), _unsigned),
    "a payload that is no object": lambda i: jwt.api_jws.encode(b"[1]", i.keys["first"], "RS256", {"kid": "first"}),
    "nested past all bounds": lambda _: encoded(b'{"a":' + b"[" * 5000) + ".e30.",
    "too long": lambda i: i.token(pad="x" * 8192),
    **{f"a key {kid}": lambda _, kid=kid: _signed(*UNFIT[kid][:2], kid=kid) for kid in UNFIT},  # type: ignore[misc]
}
