"""Requests drawn from the descriptions: what these allow is taken, what they do not is refused, and all as they say."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import jwt
import pytest

from deploy.leash import Leash
from services.consume_stream import openapi as consume
from services.generate_stream import openapi as generate
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.timeout(300)]

SECRET = "a-secret-of-thirty-two-bytes-or-more"
JWT = {"REJOIN_AUTH": "jwt", "REJOIN_JWT_SECRET": SECRET, "REJOIN_JWT_ISSUER": "tests", "REJOIN_JWT_AUDIENCE": "rejoin"}
DOCUMENTS = {module.SERVICE: module.described(doctor=False) for module in (generate, consume)}
OPERATIONS = {
    (service, f"{method.upper()} {path}"): operation
    for service, document in DOCUMENTS.items()
    for path, of_path in document["paths"].items()
    for method, operation in of_path.items()
}
REFUSING = [
    name
    for name, operation in OPERATIONS.items()
    if ("requestBody" in operation or any(each["in"] in ("query", "path") for each in operation.get("parameters", ())))
    and "307" not in operation["responses"]
]
"""Where there is anything to be done wrong; who only sends on takes everything."""


class Running(Services):
    """Both services, a session, and what a caller of theirs is known by."""

    headers: dict[str, str]
    session: str

    @property
    def known(self) -> dict[str, str]:
        """What is there, by the names that paths have for it."""
        return {
            "session": self.session,
            "completion": f"chatcmpl-{self.session}-1",
            "response": f"resp_{self.session}_1",
            "model": "demo",
        }


@pytest.fixture(scope="module", params=["none", "jwt"])
async def running(request: pytest.FixtureRequest, redis_url: str, leash: Leash) -> AsyncIterator[Running]:
    """With and without authentication; one session is there, with an answer of the demo's."""
    async with Running(redis_url, leash, **JWT if request.param == "jwt" else {}) as running:
        about = {"sub": "somebody", "iss": "tests", "aud": "rejoin", "exp": int(time.time()) + 3600}
        token = jwt.encode(about, SECRET, "HS256")
        running.headers = {"Authorization": f"Bearer {token}"} if request.param == "jwt" else {}
        async with httpx2.AsyncClient(headers=running.headers, verify=False) as client:
            begun = await client.post(f"{running.generate.url}/api/generate-stream", json={"prompt": "Hello?"})
        running.session = begun.json()["sessionId"]
        yield running
        assert "Traceback" not in running.generate.log + running.consume.log


@pytest.fixture(scope="module")
def drawings(running: Running) -> dict[str, Any]:
    """Who draws for each service. It is loaded here: of several workers, one alone needs all that it takes."""
    from tests.openapi.drawing import Drawing

    places = {generate.SERVICE: running.generate.url, consume.SERVICE: running.consume.url}
    # What is allowed is the same for whoever brings a token: a few tell whether it is seen to.
    most = 4 if running.headers else 12
    return {service: Drawing(DOCUMENTS[service], url, running.headers, most) for service, url in places.items()}


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
async def test_what_the_description_allows_is_answered_as_it_says(
    running: Running, drawings: dict[str, Any], service: str, operation: str
) -> None:
    await asyncio.to_thread(drawings[service].allowed, operation, running.known)


@pytest.mark.parametrize(("service", "operation"), REFUSING)
async def test_what_the_description_does_not_allow_is_refused_as_it_says(
    drawings: dict[str, Any], service: str, operation: str
) -> None:
    await asyncio.to_thread(drawings[service].refused, operation)
