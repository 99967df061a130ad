"""The doctor where everybody is asked who they are: it needs no token to say so, and asks on with one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest

from deploy.leash import Leash
from tests.fakes.issuer import SECRET, SETTINGS, by_secret
from tests.processes import ROOT, Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.usefixtures("page")]


@pytest.fixture(scope="module")
async def origin(redis_url: str, leash: Leash, anyio_backend: str) -> AsyncIterator[str]:
    settings = SETTINGS | {"REJOIN_JWT_SECRET": SECRET, "REJOIN_DOCTOR": "on", "REJOIN_PING_S": "1"}
    async with Services(redis_url, leash, **settings) as running, running.origin() as url:
        yield url


async def _said(origin: str, token: str) -> str:
    command = [sys.executable, "-m", "deploy.doctor", origin, "--ask", "--seconds", "20"]
    environ = os.environ | {"REJOIN_TOKEN": token}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(40):
        said, _ = await process.communicate()
    return said.decode()


async def test_without_a_token_the_route_is_well_and_nobody_is_asked(origin: str) -> None:
    said = await _said(origin, "")
    assert "✓ route to generate-stream" in said
    assert "token_missing" in said
    assert "✓ an answer" not in said


async def test_with_a_token_an_answer_comes_through(origin: str) -> None:
    token = by_secret(sub="the doctor")
    said = await _said(origin, token)
    assert "✓ an answer" in said
    assert token not in said
