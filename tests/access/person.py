"""Somebody who asks: by a token, a cookie, a link, or nothing."""

import uuid
from typing import Any

import httpx2

from deploy.origin import is_read
from tests.access.asking import COOKIE
from tests.fakes.issuer import by_secret
from tests.processes import Services, until
from tests.viewing import Viewer

_ENDED_S = 20.0


class Person:
    """Asks both services as one who has this token."""

    def __init__(self, services: Services, token: str = "", *, by_cookie: bool = False) -> None:
        self.token = token
        self._services = services
        name = {"Cookie": f"{COOKIE}={token}"} if by_cookie else {"Authorization": f"Bearer {token}"}
        self.headers = name if token else {}

    @property
    def consume_url(self) -> str:
        """Where consume-stream is."""
        return self._services.consume.url

    @classmethod
    def named(cls, services: Services, name: str = "", **claims: Any) -> "Person":
        """One whose token is good; without a name, somebody whom nobody has met."""
        return cls(services, by_secret(sub=name or uuid.uuid4().hex, **claims))

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        """POST to generate-stream. A path that begins with a slash is not under /api."""
        return await self._ask("POST", self._services.generate.url + _whole(path), json=body)

    async def delete(self, path: str) -> httpx2.Response:
        """DELETE at generate-stream."""
        return await self._ask("DELETE", self._services.generate.url + _whole(path))

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        """GET from the service that the path belongs to. Of a stream that does not end, this never returns."""
        of_consume = is_read("GET", _whole(path))
        url = (self._services.consume if of_consume else self._services.generate).url
        return await self._ask("GET", url + _whole(path), params=query)

    async def start(self, session: str, **more: Any) -> int:
        """Begin a generation; returns its number."""
        response = await self.post("generate-stream", sessionId=session, **({"prompt": session} | more))
        assert response.status_code == 202, response.text
        return int(response.json()["generation"])

    async def answered(self, session: str, prompt: str = "", **more: Any) -> int:
        """Ask, and wait until the answer has its end; returns its number."""
        generation = await self.start(session, prompt=prompt or session, **more)

        async def ended() -> bool:
            page = (await self.get(f"sessions/{session}", limit=1)).json()
            return page["generations"][0]["status"] not in ("running", "started")

        await until(ended, _ENDED_S)
        return generation

    async def link(self, session: str, generation: int | None = None, **more: Any) -> dict[str, Any]:
        """Share a session; returns what the owner is told."""
        of = {} if generation is None else {"generation": generation}
        response = await self.post("share-stream", sessionId=session, **of, **more)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def viewer(self, session: str, follow: str = "answer") -> Viewer:
        """A viewer with the same token."""
        return Viewer(self._services.consume.url, session, follow, token=self.token)

    async def _ask(self, method: str, url: str, **more: Any) -> httpx2.Response:
        async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=30) as client:
            return await client.request(method, url, headers=self.headers, **more)


def _whole(path: str) -> str:
    return path if path.startswith("/") else f"/api/{path}"
