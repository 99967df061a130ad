"""One address in front of both services, inside the client: it may lead through a proxy, and elsewhere later."""

from collections.abc import Callable

import httpx2

Where = Callable[[], str]
"""The address of a process as it is now: one that is started again has another port."""


class Front(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Sends each request to its service, over connections as any client has them. A client closes its own."""

    def __init__(self, generate: Where, consume: Where) -> None:
        self._generate, self._consume = generate, consume
        self._sync = httpx2.HTTPTransport()
        self._async = httpx2.AsyncHTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._sync.handle_request(self._sent(request))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._async.handle_async_request(self._sent(request))

    def close(self) -> None:
        self._sync.close()

    async def aclose(self) -> None:
        await self._async.aclose()

    def _sent(self, request: httpx2.Request) -> httpx2.Request:
        of_consume = request.url.path.startswith(("/api/consume-stream", "/api/sessions"))
        to = httpx2.URL(self._consume() if of_consume else self._generate())
        request.url = request.url.copy_with(host=to.host, port=to.port)
        return request
