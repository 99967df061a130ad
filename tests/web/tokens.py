"""Tokens as an application's own sign-in makes them, and the settings of services that take them."""

import time

from shared.access.shares import Share, Shares
from tests.fakes import issuer

SHARE_SECRET = "what links are signed by, which nobody else has"
SETTINGS = issuer.SETTINGS | {
    "REJOIN_JWT_SECRET": issuer.SECRET,
    "REJOIN_JWT_LEEWAY_S": "0",
    "REJOIN_SHARE_SECRET": SHARE_SECRET,
}


def token(owner: str, seconds: float = 3600, *, secret: str = issuer.SECRET) -> str:
    """A token of somebody's, good for so long."""
    return issuer.by_secret(secret, sub=owner, exp=int(time.time() + seconds))


def expired_link(session: str) -> str:
    """The token of a link that was good until a minute ago."""
    return Shares(SHARE_SECRET.encode()).sign(Share(session, None, "x" * 21, int(time.time()) - 60))
