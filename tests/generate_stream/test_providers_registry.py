"""Which providers a process has, and that no key goes where it does not belong."""

import asyncio
import os
import subprocess
import sys

import pytest

from services.generate_stream.providers import Provider
from services.generate_stream.providers.registry import (
    ANTHROPIC_MODEL,
    GEMINI_MODEL,
    OPENAI_MODEL,
    ProviderSettings,
    configured,
)
from tests.fakes import upstream
from tests.fakes.connection import Request
from tests.fakes.heard import hear
from tests.processes import ROOT, vendor_settings

pytestmark = pytest.mark.anyio

LOADED_SDKS = """
import os, sys
import services.generate_stream.app
from services.generate_stream.providers.registry import configured
from services.generate_stream.settings import Settings
configured(Settings.read(os.environ).providers)
print(*sorted({"openai", "anthropic"} & sys.modules.keys()))
"""

LOADED_BY_THE_FIRST_REQUESTS = """
import asyncio, os, sys
import services.generate_stream.app
from services.generate_stream.providers import ChatRequest, Message
from services.generate_stream.providers.registry import configured
from services.generate_stream.settings import Settings

async def main():
    *vendors, demo = configured(Settings.read(os.environ).providers).values()
    for provider in vendors:
        await provider.warm()
    before = set(sys.modules)
    for provider in vendors:
        async for part in provider.stream(ChatRequest("m", [Message("user", "?")])):
            pass
    print(type(part).__name__, *sys.modules.keys() - before)

asyncio.run(main())
"""


def told(script: str, settings: dict[str, str]) -> list[str]:
    """What a new process that runs `script` with these settings says."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | settings
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


async def close(providers: dict[str, Provider]) -> None:
    for provider in providers.values():
        await provider.close()


async def request_of(name: str, settings: ProviderSettings, seen: upstream.Upstream) -> Request:
    providers = configured(settings)
    assert (await hear(providers[name])).text == "".join(seen.default.text)
    await close(providers)
    return seen.requests[-1]


async def test_without_a_key_there_is_the_demo() -> None:
    providers = configured(ProviderSettings())
    assert [(name, provider.name, provider.models) for name, provider in providers.items()] == [
        ("demo", "demo", ("demo",))
    ]
    await close(providers)


async def test_a_key_makes_its_provider_the_default_and_the_demo_stays_last() -> None:
    keys = ProviderSettings(gemini_api_key="g", anthropic_api_key="a", openai_api_key="o")
    providers = configured(keys)
    assert {name: provider.models for name, provider in providers.items()} == {
        "openai": (OPENAI_MODEL,),
        "anthropic": (ANTHROPIC_MODEL,),
        "gemini": (GEMINI_MODEL,),
        "demo": ("demo",),
    }
    assert list(providers) == ["openai", "anthropic", "gemini", "demo"]
    await close(providers)


async def test_models_are_a_list_with_the_default_first() -> None:
    providers = configured(ProviderSettings(openai_api_key="o", openai_model=" big, small ,,big,"))
    assert providers["openai"].models == ("big", "small")
    await close(providers)


@pytest.mark.parametrize(
    ("keys", "loaded"),
    [
        ([], []),
        (["OPENAI_API_KEY"], ["openai"]),
        (["GEMINI_API_KEY"], ["openai"]),
        (["ANTHROPIC_API_KEY"], ["anthropic"]),
    ],
)
def test_a_process_loads_the_sdks_that_it_uses_and_no_other(keys: list[str], loaded: list[str]) -> None:
    assert told(LOADED_SDKS, dict.fromkeys(keys, "sk-test")) == loaded


async def test_a_warm_process_loads_nothing_more_for_its_first_prompts_and_has_sent_none() -> None:
    async with upstream.running() as fake:
        assert await asyncio.to_thread(told, LOADED_BY_THE_FIRST_REQUESTS, vendor_settings(fake.url)) == ["Done"]
        assert len(fake.requests) == 3


def test_settings_do_not_show_their_keys() -> None:
    shown = repr(ProviderSettings(openai_api_key="sk-1", anthropic_api_key="sk-2", gemini_api_key="sk-3"))
    assert "sk-" not in shown


async def test_a_server_without_a_key_gets_none_though_the_environment_is_full_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-leaked")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "authorization: Bearer sk-leaked")
    async with upstream.running() as fake:
        sent = await request_of("openai", ProviderSettings(openai_base_url=f"{fake.url}/v1"), fake)
    assert "authorization" not in sent.headers
    assert "sk-leaked" not in str(sent)


async def test_gemini_gets_its_own_key_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "sk-leaked")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    async with upstream.running() as fake:
        base_url = f"{fake.url}/v1beta/openai/"
        settings = ProviderSettings(gemini_api_key="mine", gemini_base_url=base_url)
        sent = await request_of("gemini", settings, fake)
    assert sent.path == "/v1beta/openai/chat/completions"
    assert sent.headers["authorization"] == "Bearer mine"
    assert "sk-leaked" not in str(sent)


async def test_anthropic_gets_its_key_and_no_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-leaked")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-leaked")
    async with upstream.running() as fake:
        settings = ProviderSettings(anthropic_api_key="mine", anthropic_base_url=fake.url)
        sent = await request_of("anthropic", settings, fake)
    assert sent.headers["authorization"] == "Bearer mine"
    assert "sk-leaked" not in str(sent)
