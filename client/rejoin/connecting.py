"""What both clients have in common: where the server is, who asks, and for how long. No connection of its own."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from rejoin import calls
from rejoin.calls import Call
from rejoin.errors import Refused, refused
from rejoin.patience import Limits, Patience, Retry
from rejoin.resumption import PATH, Token

_OK = frozenset({200, 201, 202, 204})


class Connecting:
    """The server's address, the token, the limits, and who is told of retries."""

    def __init__(self, url: str, token: Token, limits: Limits, on_retry: Callable[[Retry], None] | None) -> None:
        self.url = calls.address(url)
        self.limits = limits
        self.on_retry = on_retry
        self._given = token

    @property
    def renewable(self) -> bool:
        """Whether there may be another token later."""
        return callable(self._given)

    def token(self) -> str | None:
        """The token of now."""
        return self._given() if callable(self._given) else self._given

    def patience(self, give_up_s: float) -> Patience:
        """A new one."""
        return Patience(give_up_s, self.limits.retry_max_s, self.on_retry)

    def request(self, call: Call) -> dict[str, Any]:
        """A call, as the arguments of httpx2."""
        sent: Mapping[str, Any] = {} if call.body is None else {"json": call.body}
        headers = calls.headers(self.token(), call.headers)
        timeout = httpx2.Timeout(self.limits.reply_s, connect=self.limits.connect_s)
        where = {"method": call.method, "url": self.url + call.path, "params": call.query}
        return {**where, "headers": headers, "timeout": timeout, **sent}

    def stream(self, query: Mapping[str, str], token: str | None) -> dict[str, Any]:
        """A stream, as the arguments of httpx2. It has no end that could be waited for, but signs of life."""
        timeout = httpx2.Timeout(self.limits.silence_s, connect=self.limits.connect_s)
        where = {"method": "GET", "url": self.url + PATH, "params": query}
        return {**where, "headers": calls.headers(token), "timeout": timeout}


def refusal(response: httpx2.Response) -> Refused:
    """What a response that was read says against the request."""
    return refused(response.status_code, response.content, response.headers.get("retry-after"))


def answered(response: httpx2.Response) -> dict[str, Any] | Refused:
    """What a call brought: the reply, or a refusal that time may mend. Raises every other Refused."""
    if response.status_code in _OK:
        try:
            return dict(response.json()) if response.content else {}
        except (ValueError, TypeError):
            pass  # whoever said so was not the server
    said = refusal(response)
    if not said.passes and response.status_code not in _OK:
        raise said
    return said
