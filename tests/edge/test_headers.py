"""Every answer of both services tells browsers what not to do with it; none tells it twice."""

import pytest

from tests.edge.line import Line, line
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]

EVERYWHERE = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
ASKED = [
    ("GET /healthz", 200), ("GET /readyz", 200), ("GET /metrics", 200), ("GET /nothing", 404), ("GET /api", 404),
    ("PUT /healthz", 405), ("HEAD /healthz", 200), ("GET /%00", 404), ("OPTIONS /api/generate-stream", {404, 405}),
    ("POST /api/generate-stream", {404, 415}), ("POST /api/delete-stream", {404, 415}), ("GET /api/models", {200, 404}),
    ("GET /api/consume-stream", {400, 404}), ("GET /api/sessions/short", {400, 404}),
    ("GET /api/sessions/nobody-has-begun-it", 404),
]  # fmt: skip


async def ask(connection: Line, what: str) -> tuple[int, dict[str, str]]:
    """Status and headers; a header that stands twice fails."""
    await connection.send(f"{what} HTTP/1.1\r\nHost: rejoin\r\n\r\n".encode())
    return await connection.head()


@pytest.mark.parametrize("name", ["generate", "consume"])
@pytest.mark.parametrize(("what", "statuses"), ASKED, ids=lambda each: str(each))
async def test_whatever_is_asked(services: Services, name: str, what: str, statuses: int | set[int]) -> None:
    async with line(getattr(services, name)) as connection:
        status, headers = await ask(connection, what)
    assert status in (statuses if isinstance(statuses, set) else {statuses})
    assert EVERYWHERE.items() <= headers.items()
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


async def test_a_stream_too_which_no_cache_may_keep_or_change(services: Services, session: str) -> None:
    await services.start(sessionId=session, prompt="anything")
    async with line(services.consume) as connection:
        status, headers = await ask(connection, f"GET /api/consume-stream?sessionId={session}")
    assert status == 200
    assert EVERYWHERE.items() <= headers.items()
    assert headers["cache-control"] == "no-cache, no-transform"
