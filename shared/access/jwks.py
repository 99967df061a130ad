"""One fetch of a JSON Web Key Set: a document of bounded size in bounded time, and the keys of it that may be used."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

MAX_BYTES = 262_144
TIMEOUT_S = 3.0
_ALGORITHMS = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256"}
_RSA_MIN_BITS = 2048
_PIECE_BYTES = 16_384


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that the settings name, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        return None


def fetch(url: str) -> dict[str, PyJWK]:
    """The usable keys at an address, by name. Blocks. Raises OSError or ValueError for what is no such document."""
    try:
        found = json.loads(_body(url))
    except RecursionError:
        raise ValueError("it is no JSON Web Key Set") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no JSON Web Key Set")  # noqa: TRY004 - a document of the wrong shape, no bug of ours
    keys: dict[str, PyJWK] = {}
    for each in listed:
        key = usable(each)
        if key and key.key_id:
            keys.setdefault(key.key_id, key)
    if not keys:
        raise ValueError("it has no key that can be used")
    return keys


def usable(jwk: object) -> PyJWK | None:
    """The key, if it is public, for signatures, and strong enough for RS256 or ES256; else None."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return None
    algorithm = _ALGORITHMS.get((_text(jwk, "kty"), _text(jwk, "crv")))
    operations = jwk.get("key_ops", ["verify"])
    if (
        algorithm is None
        or jwk.get("alg", algorithm) != algorithm
        or jwk.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError):
        return None
    weak = isinstance(key.key, RSAPublicKey) and key.key.key_size < _RSA_MIN_BITS
    return None if weak else key


def _text(jwk: dict[str, Any], name: str) -> str:
    value = jwk.get(name, "")
    return value if isinstance(value, str) else "no text"


def _body(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - http(s): the settings
    until, body = time.monotonic() + TIMEOUT_S, b""
    try:
        with urllib.request.build_opener(_NoRedirects()).open(request, timeout=TIMEOUT_S) as response:
            while piece := response.read1(_PIECE_BYTES):
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError(f"it is larger than {MAX_BYTES} bytes")
                if time.monotonic() > until:
                    raise TimeoutError(f"it did not come within {TIMEOUT_S:g} s")
    except urllib.error.HTTPError as error:
        error.close()
        raise
    except http.client.HTTPException as error:
        raise OSError(f"its server speaks no HTTP: {type(error).__name__}") from None
    return body
