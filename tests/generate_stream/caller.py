"""A client of generate-stream, and what it finds in the log afterwards."""

import json
from typing import Any

import httpx2

from shared import keys
from shared.events import is_started, is_terminal
from tests.processes import Service, until

DEADLINE_S = 15.0


class Caller:
    """Calls one process of generate-stream on behalf of one session, and reads that session's log."""

    def __init__(self, service: Service, redis_client: Any, session: str) -> None:
        self.session = session
        self.service = service
        self.redis = redis_client

    async def post(self, path: str, body: dict[str, Any] | bytes, **headers: str | bytes) -> httpx2.Response:
        """POST JSON, or bytes that shall be taken for it."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._client() as client:
            return await client.post(
                path, content=content, headers=_encoded({"Content-Type": "application/json", **headers})
            )

    async def get(self, path: str) -> httpx2.Response:
        """GET."""
        async with self._client() as client:
            return await client.get(path)

    async def ask(self, key: str = "", **body: Any) -> httpx2.Response:
        """POST a prompt in this session, with an Idempotency-Key if there is one."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self.post("/api/generate-stream", {"sessionId": self.session, **body}, **headers)

    async def start(self, key: str = "", **body: Any) -> int:
        """POST a prompt that must be taken; returns its generation."""
        response = await self.ask(key, **body)
        assert response.status_code == 202, response.text
        return int(response.json()["generation"])

    async def stop(self, **more: Any) -> httpx2.Response:
        """POST a stop."""
        return await self.post("/api/stop-stream", {"sessionId": self.session, **more})

    async def delete(self) -> httpx2.Response:
        """POST a delete."""
        return await self.post("/api/delete-stream", {"sessionId": self.session})

    async def entries(self, generation: int = 1) -> list[tuple[str, dict[str, str]]]:
        """What the log has of one generation."""
        found = await self.redis.xrange(keys.log(self.session))
        return [(at, fields) for at, fields in found if fields["generation"] == str(generation)]

    async def started(self) -> list[dict[str, str]]:
        """All beginnings in the log."""
        return [fields for _, fields in await self.redis.xrange(keys.log(self.session)) if is_started(fields)]

    async def ended(self, generation: int = 1) -> dict[str, str]:
        """The terminal entry of a generation, once it is there. It must be the only one, and the last."""

        async def terminal() -> dict[str, str] | None:
            entries = await self.entries(generation)
            ends = [fields for _, fields in entries if is_terminal(fields)]
            assert len(ends) <= 1
            assert not ends or entries[-1][1] is ends[0]
            return ends[0] if ends else None

        found: dict[str, str] = await until(terminal, DEADLINE_S)
        return found

    async def text(self, generation: int = 1) -> str:
        """The words that the log has of a generation."""
        return "".join(fields["content"] for _, fields in await self.entries(generation) if fields["type"] == "chunk")

    async def has_text(self, text: str, generation: int = 1) -> None:
        """Wait until the log has exactly these words."""

        async def there() -> bool:
            return await self.text(generation) == text

        await until(there, DEADLINE_S)

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.service.url, timeout=DEADLINE_S, verify=False)


def _encoded(headers: dict[str, str | bytes]) -> dict[bytes, bytes]:
    return {name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in headers.items()}


def told(response: httpx2.Response) -> tuple[int, str]:
    """The status and the code of an error, whose body has the one shape that all errors have."""
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    return response.status_code, error["code"]
