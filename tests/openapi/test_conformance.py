"""Requests drawn from the descriptions: what these allow is taken, what they do not is refused, and all as they say."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import jwt
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from deploy.leash import Leash
from services.consume_stream import openapi as consume
from services.generate_stream import openapi as generate
from tests.openapi.calling import CONFORMS, NOT_OF_ITS_SHAPE, REFUSES, Caller, code_of, judged
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.timeout(300)]

FEW = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
"""Some 700 requests in all."""

SECRET = "a-secret-of-thirty-two-bytes-or-more"
JWT = {"REJOIN_AUTH": "jwt", "REJOIN_JWT_SECRET": SECRET, "REJOIN_JWT_ISSUER": "tests", "REJOIN_JWT_AUDIENCE": "rejoin"}
SCHEMAS = {
    module.SERVICE: schemathesis.openapi.from_dict(module.described(doctor=False)) for module in (generate, consume)
}
OPERATIONS = [
    (service, found.ok())
    for service, schema in SCHEMAS.items()
    for found in schema.get_all_operations()
    if isinstance(found, Ok)
]


REFUSING = [
    (service, operation)
    for service, operation in OPERATIONS
    if any((operation.body, operation.query, operation.path_parameters))
    and "307" not in operation.definition.raw["responses"]
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

    def caller(self, service: str) -> Caller:
        """Who calls this one."""
        return Caller((self.generate if service == generate.SERVICE else self.consume).url, self.headers)


@pytest.fixture(scope="module", params=["none", "jwt"])
async def running(request: pytest.FixtureRequest, redis_url: str, leash: Leash) -> AsyncIterator[Running]:
    """With and without authentication; one session is there, with an answer of the demo's."""
    async with Running(redis_url, leash, **JWT if request.param == "jwt" else {}) as running:
        about = {"sub": "somebody", "iss": "tests", "aud": "rejoin", "exp": int(time.time()) + 3600}
        token = jwt.encode(about, SECRET, "HS256")
        running.headers = {"Authorization": f"Bearer {token}"} if request.param == "jwt" else {}
        async with httpx2.AsyncClient(headers=running.headers) as client:
            begun = await client.post(f"{running.generate.url}/api/generate-stream", json={"prompt": "Hello?"})
        running.session = begun.json()["sessionId"]
        yield running
        assert "Traceback" not in running.generate.log + running.consume.log


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=lambda each: getattr(each, "label", each))
async def test_what_the_description_allows_is_answered_as_it_says(
    running: Running, service: str, operation: schemathesis.APIOperation[Any, Any, Any, Any]
) -> None:
    caller = running.caller(service)
    known: dict[str, Any] = {}
    if "sessionId" in [each.name for each in operation.query]:
        known["query"] = {"sessionId": running.session}
    if operation.path_parameters:
        names = [each.name for each in operation.path_parameters]
        known["path_parameters"] = {name: running.known[name] for name in names}

    def judge(case: Case[Any]) -> None:
        response = caller.call(case)
        judged(case, response, CONFORMS)
        assert response.status_code < 400 or code_of(response) in NOT_OF_ITS_SHAPE, response.text

    for drawn in (
        operation.as_strategy(GenerationMode.POSITIVE),
        operation.as_strategy(GenerationMode.POSITIVE, **known),
    ):
        await asyncio.to_thread(FEW(given(drawn)(judge)))


@pytest.mark.parametrize(("service", "operation"), REFUSING, ids=lambda each: getattr(each, "label", each))
async def test_what_the_description_does_not_allow_is_refused_as_it_says(
    running: Running, service: str, operation: schemathesis.APIOperation[Any, Any, Any, Any]
) -> None:
    caller = running.caller(service)

    def judge(case: Case[Any]) -> None:
        judged(case, caller.call(case), REFUSES)

    await asyncio.to_thread(FEW(given(operation.as_strategy(GenerationMode.NEGATIVE))(judge)))
