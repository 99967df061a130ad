"""What Prometheus learns of consume-stream. Labels are bounded: never sessions."""

from prometheus_client import Counter, Gauge

from shared.counter import HotCounter

VIEWERS = Gauge("rejoin_viewers", "Viewers connected to this process now")
REFUSED = Counter("rejoin_viewers_refused", "Viewers turned away, by error code", ["code"])
READS = HotCounter("rejoin_group_reads", "Reads of consumer groups, empty ones included")
ENTRIES = HotCounter("rejoin_entries_read", "Entries that viewers read")
RESUMES = Counter("rejoin_resumes", "Times that a group was made or moved to its viewer's position")
RESETS = Counter("rejoin_resets", "Viewers told to begin anew, by reason", ["reason"])
DROPPED = Counter("rejoin_viewers_dropped", "Viewers that did not take their frames in time")
SWEPT = Counter("rejoin_groups_swept", "Groups of dead processes destroyed")
