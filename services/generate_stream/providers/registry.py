"""Which providers this process has, by what is configured."""

from dataclasses import dataclass, field

from services.generate_stream.providers import Provider
from services.generate_stream.providers.demo import Demo

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
    """The providers by name, the default first. The demo is always there, and last.

    A vendor's SDK is imported only where it is used: it costs most of a second and some 40 MB.
    """
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
    from services.generate_stream.providers import openai

    return openai.OpenAI(
        "openai",
        _models(settings.openai_model, OPENAI_MODEL),
        key=settings.openai_api_key,
        base_url=settings.openai_base_url or openai.BASE_URL,
        stall_timeout_s=settings.stall_timeout_s,
    )


def _anthropic(settings: ProviderSettings, key: str) -> Provider:
    from services.generate_stream.providers import anthropic

    return anthropic.Anthropic(
        _models(settings.anthropic_model, ANTHROPIC_MODEL),
        key=key,
        base_url=settings.anthropic_base_url or anthropic.BASE_URL,
        stall_timeout_s=settings.stall_timeout_s,
    )


def _gemini(settings: ProviderSettings) -> Provider:
    from services.generate_stream.providers import openai

    return openai.OpenAI(
        "gemini",
        _models(settings.gemini_model, GEMINI_MODEL),
        key=settings.gemini_api_key,
        base_url=settings.gemini_base_url or openai.GEMINI_BASE_URL,
        stall_timeout_s=settings.stall_timeout_s,
    )


def _models(setting: str | None, default: str) -> tuple[str, ...]:
    """The names in a list with commas, each once, in their order."""
    named = (name.strip() for name in (setting or "").split(","))
    return tuple(dict.fromkeys(name for name in named if name)) or (default,)
