"""What Prometheus learns of generate-stream. Labels are bounded: providers, outcomes and codes, never sessions."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from shared.counter import HotCounter
from shared.histogram import HotHistogram
from shared.metrics import HTTP_ERRORS

RUNNING = Gauge("rejoin_generations_running", "Generations that this process runs now")
RUNNING_MAX = Gauge("rejoin_generations_running_max", "Generations that this process may run: REJOIN_RUNNING_MAX")
STARTED = Counter("rejoin_generations_started", "Generations begun here, those taken over included", ["provider"])
OUTCOMES = Counter(
    "rejoin_generations",
    "Generations over, by how they ended here (completed, stopped, failed; released, fenced, gone, lost end no answer) "
    "and, where they failed, by the error's code",
    ["provider", "outcome", "code"],
)
TAKEOVERS = Counter(
    "rejoin_takeovers",
    "Generations taken over, by what became of them (restarted, failed, stopped) and by what became of their producer "
    "(lost: it died or hung; released: it was drained)",
    ["outcome", "cause"],
)
ORPHANED = Gauge(
    "rejoin_generations_orphaned",
    "Generations without a living producer that the last sweep of this process found and left as they were",
)

TIME_TO_FIRST_TOKEN = Histogram(
    "rejoin_time_to_first_token_seconds",
    "From the start of a generation in this process to the provider's first word or thought",
    ["provider"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120),
)
TOKEN_GAP = HotHistogram(
    "rejoin_token_gap_seconds",
    "From one piece of a provider's answer to the next; a piece is a token or a few. Waits for Redis are left out",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    ["provider"],
)
TOKENS = Counter(
    "rejoin_tokens",
    "Tokens by the providers' own count (input with what came from a cache, or output), which comes with the end: "
    "answers that were stopped or failed are not in it, nor is the demo, which counts words",
    ["provider", "direction"],
)

APPENDS = HotCounter("rejoin_appends", "Calls of the append script, heartbeats included").series()
APPENDED_ENTRIES = HotCounter(
    "rejoin_appended_entries", "Entries (chunks, thoughts, ends) sent to the log, those sent again included"
).series()
APPEND_ENTRIES = HotHistogram(
    "rejoin_append_entries",
    "Entries in one append; more than a few say that Redis is slower than the provider. Heartbeats are left out",
    (1, 2, 4, 8, 16, 32, 64, 128, 256),
).series()
APPEND_SECONDS = HotHistogram(
    "rejoin_append_seconds",
    "From sending an append, or a heartbeat, to its reply",
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
).series()


def expect(providers: Iterable[str], codes: Iterable[str]) -> None:
    """Show as 0 what may come: of a series that begins with 1, Prometheus counts only what follows the first."""
    for provider in providers:
        STARTED.labels(provider)
        TIME_TO_FIRST_TOKEN.labels(provider)
        TOKEN_GAP.series(provider)
        for direction in ("input", "output"):
            TOKENS.labels(provider, direction)
        for outcome in ("completed", "stopped"):
            OUTCOMES.labels(provider, outcome, "")
        for code in codes:
            OUTCOMES.labels(provider, "failed", code)
    for cause in ("lost", "released"):
        for outcome in ("restarted", "failed", "stopped"):
            TAKEOVERS.labels(outcome, cause)
    HTTP_ERRORS.labels("storage_full")
