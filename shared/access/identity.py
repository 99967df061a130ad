"""Who asks, and the right by which a session is theirs: plain values, decided by nobody here."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Right:
    """A field of a session's meta and the value that it must have: else, for whoever asks, there is no such session.

    The empty one asks for nothing: without authentication a session's id is the key to it.
    """

    field: str = ""
    value: str = ""


@dataclass(frozen=True)
class Identity:
    """Who sent a request."""

    owner: str = ""
    """The token's `sub`; with tenants `<tenant>:<sub>`, the tenant percent-encoded. Empty without authentication."""
    expires_at: float = math.inf
    """When the token's right is over, Unix time in seconds."""

    @property
    def right(self) -> Right:
        """What makes a session theirs."""
        return Right("owner", self.owner) if self.owner else Right()


ANYBODY = Identity()
"""Whoever asks, where nobody is asked who they are."""
