"""Examining: everything that is asked of one address, within a bounded time."""

import json
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2

from deploy.doctor import alpn
from deploy.doctor.asking import ask
from deploy.doctor.facts import Answer, Chain, Heard
from deploy.doctor.listening import listen

_ANSWER_S = 8.0
_LIVE_S, _EVERY_S = 4.0, 0.2
_BEYOND_PING_S = 2.0
_RESERVE_S = 2.0
_BEACONS = "/api/consume-stream/doctor/beacons"
_PLAIN = {"Accept-Encoding": "identity"}
_AS_BROWSERS = {"Accept-Encoding": "gzip, deflate, br, zstd"}


class Order(NamedTuple):
    """What is wanted: an address, and how far to go."""

    url: str
    seconds: float = 30.0
    ask: bool = False
    insecure: bool = False
    token: str = ""


async def examine(order: Order) -> Chain:
    """Ask and listen. What is out of reach is seen as such, and never raises."""
    verify = ssl.create_default_context()
    if order.insecure:
        verify.check_hostname, verify.verify_mode = False, ssl.CERT_NONE
    # As a reader's browser, not through this machine's own proxy; and a stream may be silent for as long as it is told.
    timeout = httpx2.Timeout(_ANSWER_S, read=None)
    who = {"Authorization": f"Bearer {order.token}"} if order.token else {}
    async with httpx2.AsyncClient(
        base_url=order.url, verify=verify, trust_env=False, timeout=timeout, headers=who
    ) as client:
        return await _Examination(client, order, verify).run()


class _Examination:
    def __init__(self, client: httpx2.AsyncClient, order: Order, verify: ssl.SSLContext) -> None:
        self._client = client
        self._order = order
        self._verify = verify
        self._seen: dict[str, Any] = {}

    async def run(self) -> Chain:
        paths = {
            "consume_route": "/api/consume-stream",
            "generate_route": "/api/models",
            "consume": "/api/consume-stream/doctor",
            "generate": "/api/generate-stream/doctor",
        }
        async with anyio.create_task_group() as tasks:
            for name, path in paths.items():
                tasks.start_soon(self._get, name, path)
            tasks.start_soon(self._agree)
        seconds = self._order.seconds
        async with anyio.create_task_group() as tasks:
            if self._seen["consume"].is_report:
                self._listen_on(tasks)
            if self._order.ask:
                tasks.start_soon(self._ask, max(1.0, seconds - _RESERVE_S))
            else:
                self._seen["asked"] = "the demo was not asked: --ask does it"
        return Chain(self._order.url, **self._seen)

    def _listen_on(self, tasks: Any) -> None:
        quiet_s = float(self._seen["consume"].body.get("pingS", 15)) + _BEYOND_PING_S
        tasks.start_soon(self._listen, "live", min(_LIVE_S, self._order.seconds / 2), _EVERY_S, _PLAIN)
        tasks.start_soon(self._listen, "as_browsers", 2 * _EVERY_S, _EVERY_S, _AS_BROWSERS)
        self._seen["quiet_wanted_s"] = quiet_s + _RESERVE_S
        if quiet_s + _RESERVE_S <= self._order.seconds:
            tasks.start_soon(self._listen, "quiet", quiet_s, quiet_s, _PLAIN)

    async def _get(self, name: str, path: str) -> None:
        asked_ms = time.time() * 1000
        try:
            with anyio.fail_after(_ANSWER_S):
                response = await self._client.get(path)
        except TimeoutError:
            self._seen[name] = Answer(cause=f"no answer within {_ANSWER_S:g} s")
        except (httpx2.HTTPError, OSError) as error:
            self._seen[name] = Answer(cause=str(error) or repr(error))
        else:
            now_ms = time.time() * 1000
            self._seen[name] = Answer(response.status_code, _json(response), asked_ms, now_ms, _date_ms(response))

    async def _agree(self) -> None:
        place = urlsplit(self._order.url)
        if place.scheme == "https":
            agreed = await anyio.to_thread.run_sync(alpn.agreed, place.hostname or "", place.port or 443, self._verify)
            self._seen["alpn"] = agreed

    async def _listen(self, name: str, seconds: float, every_s: float, headers: dict[str, str]) -> None:
        heard: Heard = await listen(self._client, _BEACONS, seconds, every_s, headers)
        self._seen[name] = heard

    async def _ask(self, within_s: float) -> None:
        self._seen["asked"] = await ask(self._client, self._seen["generate_route"], within_s)


def _json(response: httpx2.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _date_ms(response: httpx2.Response) -> float | None:
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).timestamp() * 1000
    except ValueError:
        return None
