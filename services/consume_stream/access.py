"""By what right a request reads a session: its sender's own, or a link that the owner has shared."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import HTTPConnection

from shared.access.gate import Gate
from shared.access.identity import Right
from shared.access.shares import Shares

_FOR_EVER_S = 1e9


class RightOver(NamedTuple):
    """When a viewer's right to read is over (Unix time, s), and what it is told then."""

    at_s: float
    code: str

    @property
    def deadline(self) -> float | None:
        """The same by the clock of the event loop; None for never."""
        left_s = self.at_s - time.time()
        return None if left_s > _FOR_EVER_S else asyncio.get_running_loop().time() + left_s


@dataclass(frozen=True)
class Access:
    """A right to read, how long it lasts, and how much of the session it shows."""

    owner: str
    """Who reads; empty where nobody is asked, and for who comes by a link."""
    right: Right
    expires_at: float
    """Unix time, s."""
    generation: int | None = None
    """The only generation that is shown; None for all."""
    shared: bool = False
    """Whether it came by a link, so that it may be revoked."""

    @property
    def over(self) -> RightOver:
        """When it is over, and what is said then."""
        return RightOver(self.expires_at, "share_expired" if self.shared else "token_expired")

    def shows(self, fields: Mapping[str, str]) -> bool:
        """Whether an entry is to be seen. What is not might as well not be there: no resume point finds it."""
        return self.generation is None or fields.get("generation") == str(self.generation)

    def audience(self, session: str) -> str:
        """With whom this viewer is counted: all of a session; where there are owners, hers apart from those by links.

        Who has no right is counted apart too: else they could take all places of a session, or tell that it is there.
        """
        return f"{session} shared" if self.shared else f"{session} {self.owner}" if self.owner else session


class Door:
    """Lets in who says who they are, and who brings a link."""

    def __init__(self, gate: Gate, shares: Shares) -> None:
        self._gate = gate
        self._shares = shares

    async def access(self, request: HTTPConnection, session: str) -> Access:
        """By what right this request reads the session. Raises ApiError with 401, or 503."""
        token = request.query_params.get("share")
        if token is not None:
            share = self._shares.read(token, session)
            return Access("", share.right, share.expires_at, share.generation, shared=True)
        identity = await self._gate.identity(request)
        return Access(identity.owner, identity.right, identity.expires_at)
