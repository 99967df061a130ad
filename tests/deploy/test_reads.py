"""A proxy that knows only how paths begin: what it sends to the wrong service gets to the right one."""

import re

import httpx2
import pytest

from deploy import origin
from shared.dialects.reads import PATHS, PREFIX, without_prefix
from tests.edge.line import line
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


@pytest.mark.parametrize("path", [re.sub("{.*}", "a%2Db_1", each) for each in PATHS])
async def test_a_read_is_sent_on_as_it_was_asked(services: Services, path: str) -> None:
    assert origin.is_read("GET", path)
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        response = await client.get(f"{services.generate.url}{path}?stream=true&x=%20+'")
    assert response.status_code == 307
    assert response.headers["location"] == f"{PREFIX}{path}?stream=true&x=%20+'"
    assert without_prefix(PREFIX + path) == path


async def test_by_the_longer_path_it_is_the_same_request(services: Services, session: str) -> None:
    for path in (f"/api/sessions/{session}", "/v1/nothing"):
        answers = []
        for asked in (path, PREFIX + path):
            async with line(services.consume) as connection:
                answers.append(await connection.ask(f"GET {asked} HTTP/1.1"))
        assert answers[0].status == 404
        assert answers[0].body == answers[1].body
