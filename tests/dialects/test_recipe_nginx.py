"""The recipe for nginx: in front of both services it serves the clients of every dialect, word by word."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI

from tests import nginx
from tests.dialects.recipes import recipe
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.ports import free_port
from tests.processes import Services, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


@pytest.fixture
async def behind_nginx(services: Services, tmp_path: Path) -> AsyncIterator[str]:
    """The address of an nginx that has the recipe's text."""
    binary = nginx.needed()
    port = free_port()
    text = recipe("nginx").text.replace("listen 8000", f"listen 127.0.0.1:{port}")
    for place, service in (("127.0.0.1:8001", services.generate), ("127.0.0.1:8002", services.consume)):
        text = text.replace(place, service.url.partition("://")[2])
    paths = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/log; events {{}}"
    (tmp_path / "nginx.conf").write_text(f"{head} http {{ access_log off; {paths}\n{text}\n}}")
    process = await asyncio.create_subprocess_exec(binary, "-e", tmp_path / "log", "-c", tmp_path / "nginx.conf")
    url = f"http://127.0.0.1:{port}"
    try:
        await until(lambda: _answers(url), 10)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> bool:
    with contextlib.suppress(httpx2.TransportError):
        async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
            return (await client.get(f"{url}/api/models")).status_code == 200
    return False


async def test_words_pass_as_they_come(behind_nginx: str, upstream: Upstream, session: str) -> None:
    gate = asyncio.Semaphore(1)
    upstream.prompts[session] = Script(text=("One ", "two."), gate=gate)
    async with AsyncOpenAI(base_url=f"{behind_nginx}/v1", api_key="none") as client:
        stream = await client.chat.completions.create(
            model="gpt-6.1-terra", messages=[{"role": "user", "content": session}], stream=True
        )
        said = ""
        async for chunk in stream:
            said += chunk.choices[0].delta.content or ""
            if said == "One ":
                gate.release()
        assert said == "One two."
        assert await client.models.list()
    place = {"sessionId": session}
    async with httpx2.AsyncClient(trust_env=False, verify=False) as browser:
        await browser.post(f"{behind_nginx}/api/generate-stream", json={**place, "prompt": "Hello?"})
        told = await browser.get(f"{behind_nginx}/api/consume-stream", params=place, timeout=30)
        assert '"completed"' in told.text
        assert (await browser.get(f"{behind_nginx}/api/sessions/{session}")).status_code == 200
