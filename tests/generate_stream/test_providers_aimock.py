"""The same SDKs against a fake that we did not write: @copilotkit/aimock, in a process of its own."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.generate_stream.providers import Provider
from services.generate_stream.providers.registry import ProviderSettings, configured
from tests.fakes import aimock
from tests.fakes.heard import hear, request

pytestmark = pytest.mark.anyio
TEXT = "Words of every alphabet — γλῶσσα, 语言, 🌊🏄 — in pieces of a few characters each. " * 5
THINKING = "First I think about it. " * 5
MODEL = "o4-mini"
VENDORS = ["openai", "anthropic", "gemini"]
FIXTURES: list[dict[str, Any]] = [
    {"match": {"userMessage": "speak"}, "response": {"content": TEXT, "reasoning": THINKING}, "chunkSize": 7},
    {
        "match": {"userMessage": "break off"},
        "response": {"content": TEXT},
        "chunkSize": 7,
        "latency": 1,
        "truncateAfterChunks": 5,
    },
    *(
        {
            "match": {"userMessage": f"fail with {status}"},
            "response": {"error": {"message": "sk-secret", "type": "some_error"}, "status": status},
        }
        for status in (400, 401, 429, 500, 503)
    ),
]


@asynccontextmanager
async def providers() -> AsyncIterator[dict[str, Provider]]:
    async with aimock.running(FIXTURES) as url:
        settings = ProviderSettings(
            openai_api_key="sk-any",
            openai_base_url=f"{url}/v1",
            anthropic_api_key="sk-any",
            anthropic_base_url=url,
            gemini_api_key="sk-any",
            gemini_base_url=f"{url}/v1beta/openai/",
            stall_timeout_s=10,
        )
        made = configured(settings)
        try:
            yield made
        finally:
            for provider in made.values():
                await provider.close()


@pytest.mark.parametrize("vendor", VENDORS)
async def test_text_and_thinking_arrive_whole(vendor: str) -> None:
    async with providers() as made:
        heard = await hear(made[vendor], request("please speak", MODEL))
    # It cuts by UTF-16 units, as servers in JavaScript do: the halves of 🏄 may come in two pieces.
    text = heard.text.encode("utf-16", "surrogatepass").decode("utf-16")
    assert (text, heard.thinking) == (TEXT, THINKING)
    assert heard.done
    assert heard.done.finish_reason == ("end_turn" if vendor == "anthropic" else "stop")
    assert heard.done.usage


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_connection_that_breaks_is_a_cut(vendor: str) -> None:
    async with providers() as made:
        heard = await hear(made[vendor], request("now break off", MODEL))
    assert heard.error
    assert (heard.error.code, heard.error.retryable) == ("provider_cut", True)
    assert TEXT.startswith(heard.text)
    assert heard.text != TEXT


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("status", "code"), [(400, "provider_refused"), (401, "provider_auth")])
async def test_a_refusal_has_its_code(vendor: str, status: int, code: str) -> None:
    async with providers() as made:
        heard = await hear(made[vendor], request(f"fail with {status}", MODEL))
    assert heard.error
    assert heard.error.code == code
    assert "sk-" not in heard.error.text


async def test_a_failing_server_has_its_code_after_the_retries() -> None:
    wanted = {429: "provider_rate_limited", 500: "provider_error", 503: "provider_overloaded"}
    async with providers() as made:
        asked = {(vendor, status): request(f"fail with {status}", MODEL) for vendor in VENDORS for status in wanted}
        # All at once, because the SDKs wait between their tries.
        heard = await asyncio.gather(*(hear(made[vendor], asked[vendor, status]) for vendor, status in asked))
    assert {which: answer.error and answer.error.code for which, answer in zip(asked, heard, strict=True)} == {
        (vendor, status): wanted[status] for vendor, status in asked
    }


async def test_the_fake_dies_with_its_parent() -> None:
    code = "import asyncio, os\nfrom tests.fakes import aimock\n" + (
        "async def main():\n"
        "    async with aimock.running([{'match': {'userMessage': 'x'}, 'response': {'content': 'y'}}]) as url:\n"
        "        print(url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())"
    )
    pipe = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=pipe, stderr=pipe)
    assert parent.stdout
    assert parent.stderr
    assert (await parent.stdout.readline()).startswith(b"http")
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    # The fake has inherited the other end: the pipe ends when the last process that holds it is gone.
    async with asyncio.timeout(10):
        await parent.stderr.read()
