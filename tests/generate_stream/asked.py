"""One provider of ours against the scripted vendor, for as long as a test asks it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.generate_stream.providers import Provider
from services.generate_stream.providers.anthropic import Anthropic
from services.generate_stream.providers.openai import OpenAI
from tests.fakes import upstream
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream

PROVIDERS = ("openai", "anthropic")


@asynccontextmanager
async def asked(name: str, script: Script, stall_timeout_s: float = 10.0) -> AsyncIterator[tuple[Provider, Upstream]]:
    """The provider, and its vendor, who answers everything by this script."""
    async with upstream.running(script) as fake:
        provider = _provider(name, fake.url, stall_timeout_s)
        try:
            yield provider, fake
        finally:
            await provider.close()


def _provider(name: str, url: str, stall_timeout_s: float) -> Provider:
    if name == "openai":
        return OpenAI(name, ("m",), key="sk-mine", base_url=f"{url}/v1", stall_timeout_s=stall_timeout_s)
    return Anthropic(("m",), key="sk-mine", base_url=url, stall_timeout_s=stall_timeout_s)


def cuts(body: bytes, *, first: int) -> list[int]:
    """Places to cut a stream: on both sides of all but plain ASCII, line ends too, and every 97th byte of the rest."""
    delicate = {at + by for at, byte in enumerate(body) if byte < 32 or byte > 126 for by in (0, 1)}
    return sorted({0, *delicate, *range(first, len(body), 97)})
