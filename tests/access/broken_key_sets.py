"""What an issuer may answer in place of its keys."""

import json
from collections.abc import Callable

from shared.access import jwks
from tests.access.forgeries import unfit_members
from tests.fakes.issuer import Issuer, response


def large(issuer: Issuer) -> bytes:
    return response(b" " * jwks.MAX_BYTES + issuer.document())


def moved(issuer: Issuer) -> bytes:
    return response(b"", "302 Found", f"location: {issuer.url}")


BREAKAGES: dict[str, Callable[[Issuer], bytes]] = {
    "nothing": lambda _: b"",
    "no HTTP": lambda _: b"SSH-2.0-OpenSSH_9.6\r\n",
    "an error": lambda issuer: response(issuer.document(), "500 Internal Server Error"),
    "another place": moved,
    "no JSON": lambda _: response(b"<html>"),
    "no text": lambda _: response(b"\xff\xfe\xff"),
    "half of it": lambda issuer: response(issuer.document())[:-20],
    "too much": large,
    "no object": lambda _: response(b"[]"),
    "no list": lambda _: response(b'{"keys": {"kty": "RSA"}}'),
    "no keys": lambda _: response(b'{"keys": []}'),
    "only unfit keys": lambda _: response(json.dumps({"keys": unfit_members()}).encode()),
    "bottomless": lambda _: response(b'{"keys":' + b"[" * 100_000),
}
