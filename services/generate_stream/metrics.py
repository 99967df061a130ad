"""What Prometheus learns of generate-stream. Labels are bounded: providers and outcomes, never sessions."""

from prometheus_client import Counter, Gauge

from shared.counter import HotCounter

RUNNING = Gauge("rejoin_generations_running", "Generations that this process runs now")
STARTED = Counter("rejoin_generations_started", "Generations begun here", ["provider"])
OUTCOMES = Counter("rejoin_generations", "Generations over, by how they ended", ["provider", "outcome"])
APPENDS = HotCounter("rejoin_appends", "Calls of the append script, heartbeats included")
APPENDED_ENTRIES = HotCounter("rejoin_appended_entries", "Entries sent to the log, those sent again included")
TAKEOVERS = Counter("rejoin_takeovers", "Generations taken over from producers that were lost or let go", ["outcome"])
