"""Whether a request comes from a page that may send it: its own origin's, or one that the settings name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers

_HOST = r"(\[[0-9a-f:.]+\]|[^\s/?#@\[\]:,\\]+)(?::([0-9]{1,5}))?"
_ORIGIN = re.compile(rf"(https?)://{_HOST}")
_AUTHORITY = re.compile(_HOST)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port, in the one way that they are compared."""

    scheme: str
    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> "Origin | None":
        """An origin as a browser writes it; None for what is none, `null` too."""
        found = _ORIGIN.fullmatch(text.lower())
        return cls._of(*found.groups()) if found else None

    @classmethod
    def at(cls, scheme: str, host: str) -> "Origin | None":
        """What a Host header means to who asks by this scheme: a port that is not named depends on it."""
        found = _AUTHORITY.fullmatch(host.lower())
        return cls._of(scheme, *found.groups()) if found else None

    @classmethod
    def _of(cls, scheme: str, host: str, port: str | None) -> "Origin":
        return cls(scheme, host, int(port) if port else _DEFAULT_PORTS[scheme])


class Origins:
    """Whose pages may change things here."""

    def __init__(self, others: Iterable[str] = ()) -> None:
        self._others = {Origin.read(each) for each in others} - {None}

    def allows(self, headers: Headers) -> bool:
        """Whether a request with these headers is from a page of ours, or from no page at all.

        Browsers name the Origin of what changes something, and say by Sec-Fetch-Site how it stands to ours; no page
        can forge either. Whatever sends neither is no browser, and has no cookies that others could use.
        """
        site = headers.get("sec-fetch-site", "same-origin").lower()
        if "origin" not in headers:
            return site in ("same-origin", "none")
        named = headers.getlist("origin")
        origin = Origin.read(named[0]) if len(named) == 1 else None
        if origin is None:
            return False
        if origin in self._others:
            return True
        # The proxy in front may speak another scheme than the browser does. Only the browser knows whether the page
        # has ours: one at http:// is cross-site to https://, whose Host may read the same.
        return site == "same-origin" and origin == Origin.at(origin.scheme, headers.get("host", ""))
