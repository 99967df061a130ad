"""Which providers this process has, by what is configured."""

from dataclasses import dataclass, field

from services.generate_stream.providers import Provider
from services.generate_stream.providers import anthropic as anthropic_api
from services.generate_stream.providers import openai as openai_api
from services.generate_stream.providers.anthropic import Anthropic
from services.generate_stream.providers.demo import Demo
from services.generate_stream.providers.openai import OpenAI

# Where no *_MODEL is set: each vendor's middle model, for answers that are good, quick and not dear.
OPENAI_MODEL = "gpt-6.1-terra"
ANTHROPIC_MODEL = "claude-sonnet-5-5"
GEMINI_MODEL = "gemini-flash-latest"


@dataclass(frozen=True)
class ProviderSettings:
    """What the environment says of the vendors, by their own names. A `*_model` may be a list with commas."""

    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    openai_model: str | None = None
    anthropic_api_key: str | None = field(default=None, repr=False)
    anthropic_base_url: str | None = None
    anthropic_model: str | None = None
    gemini_api_key: str | None = field(default=None, repr=False)
    gemini_base_url: str | None = None
    gemini_model: str | None = None
    stall_timeout_s: float = 120.0
    """Seconds without a byte after which a provider counts as silent."""


def configured(settings: ProviderSettings) -> dict[str, Provider]:
    """The providers by name, the default first. The demo is always there, and last."""
    providers: list[Provider] = []
    if settings.openai_api_key or settings.openai_base_url:
        providers.append(_openai(settings))
    if settings.anthropic_api_key:
        providers.append(_anthropic(settings, settings.anthropic_api_key))
    if settings.gemini_api_key:
        providers.append(_gemini(settings))
    providers.append(Demo())
    return {provider.name: provider for provider in providers}


def _openai(settings: ProviderSettings) -> Provider:
    return OpenAI(
        "openai",
        _models(settings.openai_model, OPENAI_MODEL),
        key=settings.openai_api_key,
        base_url=settings.openai_base_url or openai_api.BASE_URL,
        stall_timeout_s=settings.stall_timeout_s,
    )


def _anthropic(settings: ProviderSettings, key: str) -> Provider:
    return Anthropic(
        _models(settings.anthropic_model, ANTHROPIC_MODEL),
        key=key,
        base_url=settings.anthropic_base_url or anthropic_api.BASE_URL,
        stall_timeout_s=settings.stall_timeout_s,
    )


def _gemini(settings: ProviderSettings) -> Provider:
    return OpenAI(
        "gemini",
        _models(settings.gemini_model, GEMINI_MODEL),
        key=settings.gemini_api_key,
        base_url=settings.gemini_base_url or openai_api.GEMINI_BASE_URL,
        stall_timeout_s=settings.stall_timeout_s,
    )


def _models(setting: str | None, default: str) -> tuple[str, ...]:
    """The names in a list with commas, each once, in their order."""
    named = (name.strip() for name in (setting or "").split(","))
    return tuple(dict.fromkeys(name for name in named if name)) or (default,)
