"""The keys of the tokens' issuer (JWKS): fetched when one is unknown, kept for as long as their address is away."""

import asyncio
import contextlib
import logging
import math
import threading
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

_FETCHED_WITHIN_S = 4.0
"""A head that comes in drips keeps the fetch's own time limits waiting."""

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
            async with asyncio.timeout(_FETCHED_WITHIN_S):
                self._keys = await _fetched(self._url)
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


async def _fetched(url: str) -> dict[str, PyJWK]:
    """The keys, as `jwks.fetch`, which waits for its sockets: in a thread that may be left behind."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[dict[str, PyJWK]] = loop.create_future()

    def settle(keys: dict[str, PyJWK] | None, error: Exception | None) -> None:
        if found.done():
            return
        if error:
            found.set_exception(error)
        else:
            found.set_result(keys or {})

    def fetch() -> None:
        keys, broke = None, None
        try:
            keys = jwks.fetch(url)
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            broke = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, keys, broke)

    # Not in the loop's executor: its end would wait for the thread.
    threading.Thread(target=fetch, daemon=True).start()
    return await found
