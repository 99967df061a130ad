"""A streaming POST that has begun an answer begins no second one, whatever becomes of the reading it led to."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest

from deploy.leash import Leash
from tests.processes import Services

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


@pytest.fixture(scope="module")
async def unread(redis_url: str, leash: Leash) -> AsyncIterator[str]:
    """An origin whose consume-stream is gone: every redirect ends in a 502."""
    async with Services(redis_url, leash) as services:
        await services.consume.kill()
        async with services.origin() as url:
            yield url


async def begun(redis_client: Any) -> set[str]:
    """The logs that there are."""
    return {name async for name in redis_client.scan_iter("llm:stream:*")}


async def ask(client: openai.AsyncOpenAI, dialect: str) -> object:
    """Ask for a stream."""
    if dialect == "responses":
        return await client.responses.create(model="demo", input="Hello.", stream=True)
    said: Any = [{"role": "user", "content": "Hello."}]
    return await client.chat.completions.create(model="demo", messages=said, stream=True)


@pytest.mark.parametrize("dialect", ["responses", "completions"])
async def test_who_tries_again_by_itself_does_not_ask_the_model_again(
    unread: str, redis_client: Any, dialect: str
) -> None:
    before = await begun(redis_client)
    async with openai.AsyncOpenAI(base_url=f"{unread}/v1", api_key="none") as client:
        with pytest.raises(openai.InternalServerError):
            await ask(client, dialect)
    assert len(await begun(redis_client) - before) == 1


async def test_with_a_key_a_retry_finds_what_was_begun(unread: str, redis_client: Any, session: str) -> None:
    before = await begun(redis_client)
    async with openai.AsyncOpenAI(base_url=f"{unread}/v1", api_key="none") as client:
        with pytest.raises(openai.InternalServerError) as refused:
            await client.responses.create(
                model="demo", input="Hello.", stream=True, extra_headers={"Idempotency-Key": session}
            )
    assert "x-should-retry" not in refused.value.response.headers
    assert len(await begun(redis_client) - before) == 1


async def test_who_reads_what_is_begun_may_try_again(unread: str) -> None:
    async with httpx2.AsyncClient(base_url=unread, verify=False) as reader:
        refused = await reader.get("/v1/responses/resp_12345678_1", params={"stream": "true"})
    assert refused.status_code == 502
    assert "x-should-retry" not in refused.headers
    assert refused.json()["error"]["type"] == "server_error"
