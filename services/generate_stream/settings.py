"""The settings of generate-stream."""

import dataclasses

from services.generate_stream.providers.registry import ProviderSettings
from shared import settings as base
from shared.quotas import Allowance
from shared.settings import TEXT, captured, count, one_of, seconds, url, variable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(base.Settings):
    """Everything this process reads from the environment."""

    port: int = variable("REJOIN_PORT", count(0, 65_535), 8001, "The port to listen on.")
    ttl_s: float = variable("REJOIN_TTL_S", seconds(1), 86_400.0, "How long a session stays after its last entry.")
    sweep_s: float = variable("REJOIN_SWEEP_S", seconds(0.05), 2.0, "How often to look for dead producers.")
    stall_timeout_s: float = variable(
        "REJOIN_STALL_TIMEOUT_S", seconds(0.1), 120.0, "How long a provider may say nothing."
    )
    drain_s: float = variable("REJOIN_DRAIN_S", seconds(0), 30.0, "How long running answers may go on after SIGTERM.")
    prompt_max_bytes: int = variable(
        "REJOIN_PROMPT_MAX_BYTES", count(1, 16_777_216), 131_072, "Bytes of prompt, messages and system together."
    )
    answer_max_bytes: int = variable(
        "REJOIN_ANSWER_MAX_BYTES", count(1, 67_108_864), 2_097_152, "Bytes of one answer, thinking included."
    )
    history_max_bytes: int = variable(
        "REJOIN_HISTORY_MAX_BYTES", count(0, 67_108_864), 1_048_576, "Bytes of earlier turns sent to the model."
    )
    session_generations_max: int = variable(
        "REJOIN_SESSION_GENERATIONS_MAX", count(), 200, "Generations that one session may have."
    )
    running_max: int = variable("REJOIN_RUNNING_MAX", count(), 500, "Generations that one process runs at a time.")
    owner_starts_per_minute: int = variable(
        "REJOIN_OWNER_STARTS_PER_MINUTE", count(0), 0, "Answers that one owner may begin in a minute; 0: no limit."
    )
    address_starts_per_minute: int = variable(
        "REJOIN_ADDRESS_STARTS_PER_MINUTE", count(0), 0, "Answers that one address may begin in a minute; 0: no limit."
    )
    owner_running_max: int = variable(
        "REJOIN_OWNER_RUNNING_MAX", count(0), 0, "Answers that one owner has written at a time; 0: no limit."
    )
    address_running_max: int = variable(
        "REJOIN_ADDRESS_RUNNING_MAX", count(0), 0, "Answers that one address has written at a time; 0: no limit."
    )
    owner_tokens_per_day: int = variable(
        "REJOIN_OWNER_TOKENS_PER_DAY",
        count(0, 2**53),
        0,
        "Tokens that the answers of one owner may take in a day (UTC); 0: no limit.",
    )
    orphan_grace_s: float = variable(
        "REJOIN_ORPHAN_GRACE_S", seconds(0), 0.0, "How long an answer goes on that nobody watches; 0: to its end."
    )
    on_lost_producer: str = variable(
        "REJOIN_ON_LOST_PRODUCER", one_of("restart", "fail"), "restart", "What becomes of a dead process's answers."
    )
    openai_api_key: str | None = variable("OPENAI_API_KEY", TEXT, None, "Turns on `openai`.", secret=True)
    openai_base_url: str | None = variable(
        "OPENAI_BASE_URL", url(), None, "Any OpenAI-compatible server: Ollama, vLLM, llama.cpp …"
    )
    openai_model: str | None = variable("OPENAI_MODEL", TEXT, None, "Its models, the default first, with commas.")
    anthropic_api_key: str | None = variable("ANTHROPIC_API_KEY", TEXT, None, "Turns on `anthropic`.", secret=True)
    anthropic_base_url: str | None = variable("ANTHROPIC_BASE_URL", url(), None, "Where its API is.")
    anthropic_model: str | None = variable("ANTHROPIC_MODEL", TEXT, None, "Its models, as above.")
    gemini_api_key: str | None = variable("GEMINI_API_KEY", TEXT, None, "Turns on `gemini`.", secret=True)
    gemini_base_url: str | None = variable("GEMINI_BASE_URL", url(), None, "Where its OpenAI-compatible API is.")
    gemini_model: str | None = variable("GEMINI_MODEL", TEXT, None, "Its models, as above.")

    capture_content: bool = variable(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        captured(),
        default=False,
        help_text="Whether traces hold what was asked and answered.",
    )

    @property
    def owner_allowance(self) -> Allowance:
        """What one owner may have."""
        return Allowance(self.owner_starts_per_minute, self.owner_running_max, self.owner_tokens_per_day)

    @property
    def address_allowance(self) -> Allowance:
        """What one address may have."""
        return Allowance(self.address_starts_per_minute, self.address_running_max)

    @property
    def providers(self) -> ProviderSettings:
        """What the providers need to know."""
        names = [field.name for field in dataclasses.fields(ProviderSettings)]
        return ProviderSettings(**{name: getattr(self, name) for name in names})
