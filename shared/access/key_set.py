"""The keys of the tokens' issuer (JWKS): fetched when one is unknown, kept for as long as their address is away."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable

from jwt import PyJWK, PyJWTError

from shared import logs
from shared.access import jwks

_log = logging.getLogger(__name__)

AGAIN_S = 10.0
"""How often the issuer is asked at most, however many tokens name keys that nobody knows."""

FRESH_S = 300.0
"""How old keys become before they are asked for again, though none is missing: so one that was withdrawn goes."""

_PATIENCE_S = 5.0


class KeysAway(Exception):
    """No key was ever fetched: whose a token is, nobody can tell."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the issuer's keys are out of reach")
        self.retry_after_s = retry_after_s


class KeySet:
    """The issuer's keys by their names. Whoever misses one waits for the same single fetch."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = self._asked_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self._is_away = False

    async def find(self, kid: str | None) -> PyJWK | None:
        """The key of this name; None where the issuer has none. Raises KeysAway."""
        if kid is None:
            return None  # an issuer of one key may leave its name out; one that changes its keys never does
        if kid in self._keys:
            if self._clock() - self._fetched_at > FRESH_S:
                self._fetch()
            return self._keys[kid]
        fetching = self._fetch()
        if fetching:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(fetching), _PATIENCE_S)
        if not self._keys:
            raise KeysAway(max(1.0, self._asked_at + AGAIN_S - self._clock()))
        return self._keys.get(kid)

    async def close(self) -> None:
        """Wait for no key any more."""
        if self._fetching:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _fetch(self) -> asyncio.Task[None] | None:
        if self._fetching:
            return self._fetching
        if self._clock() - self._asked_at < AGAIN_S:
            return None
        self._asked_at = self._clock()
        self._fetching = asyncio.create_task(self._renew(), name="issuer's keys")
        return self._fetching

    async def _renew(self) -> None:
        try:
            # In a thread: PyJWT's own client waits for its sockets, and so does this one, which has limits.
            self._keys = await asyncio.to_thread(jwks.fetch, self._url)
            self._fetched_at = self._clock()
            self._tell(away=False)
        except (OSError, ValueError, PyJWTError) as error:
            self._tell(away=True, cause=f"{type(error).__name__}: {error}")
        finally:
            self._fetching = None

    def _tell(self, *, away: bool, **fields: str) -> None:
        if away and not self._is_away:
            logs.warning(_log, "the issuer's keys can't be fetched: those known so far go on", **fields)
        elif self._is_away and not away:
            logs.info(_log, "the issuer's keys can be fetched again")
        self._is_away = away
