"""What Prometheus learns of consume-stream. Labels are bounded: never sessions."""

from prometheus_client import Counter, Gauge

from shared.counter import HotCounter
from shared.histogram import HotHistogram

VIEWERS = Gauge("rejoin_viewers", "Viewers connected to this process now")
VIEWERS_MAX = Gauge("rejoin_viewers_max", "Viewers that this process may have: REJOIN_VIEWERS_MAX")
REFUSED = Counter("rejoin_viewers_refused", "Viewers turned away, by error code", ["code"])
DROPPED = Counter("rejoin_viewers_dropped", "Viewers that took nothing for REJOIN_SEND_TIMEOUT_S, and were cut")
RESUMES = Counter("rejoin_resumes", "Times that a group was made or moved to its viewer's position")
RESETS = Counter("rejoin_resets", "Viewers told to begin anew, by reason", ["reason"])
# As 0, before it happens: of a series that begins with 1, Prometheus counts only what follows the first.
for _reason in ("unknown_position", "gone"):
    RESETS.labels(_reason)
SWEPT = Counter("rejoin_groups_swept", "Groups of dead processes destroyed")

READS = HotCounter("rejoin_group_reads", "Reads of consumer groups, empty ones included").series()
ENTRIES = HotCounter("rejoin_entries_read", "Entries that viewers read").series()
_FRAMES = HotCounter(
    "rejoin_frames",
    "Frames for viewers, by whether they were waited for at the end of the log (live) or lay there (replay)",
    ["path"],
)
LIVE_FRAMES, REPLAY_FRAMES = _FRAMES.series("live"), _FRAMES.series("replay")
LAG = HotHistogram(
    "rejoin_viewer_lag_seconds",
    "How old the newest words of a live read were when they left for a viewer: since they came from the provider, by "
    "the clock of Redis",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
).series()
LATE_FINDS = Counter(
    "rejoin_late_finds", "Times that a viewer's recheck brought entries of which no nudge told: the nudge was lost"
)
