"""What Prometheus learns of every process: which it is, how its event loop and its connections to Redis are."""

from prometheus_client import Counter, Gauge, disable_created_metrics

from shared.counter import HotCounter
from shared.histogram import HotHistogram

# When each counter began is a second series for each, which no dashboard and no alert asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

BUILD = Gauge("rejoin_build_info", "Always 1; which service this is, and of which version", ["service", "version"])
HTTP_ERRORS = Counter(
    "rejoin_http_errors", "Requests answered with an error, by its code; those of /readyz are left out", ["code"]
)
LOOP_LAG = HotHistogram(
    "rejoin_event_loop_lag_seconds",
    "How late the process came to what was due, measured four times a second; above 0.1 s it has too much to do",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
).series()

REDIS_UP = Gauge(
    "rejoin_redis_up",
    "1 while Redis answers this process, which asks once a second; else 0; of a cluster, how many of its masters do",
)
REDIS_ROUND_TRIP = HotHistogram(
    "rejoin_redis_round_trip_seconds",
    "From the question to the answer, asked once a second on the connection for commands",
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
).series()
REDIS_COMMANDS = HotCounter("rejoin_redis_commands", "Commands sent to Redis").series()
REDIS_WRITES = HotCounter(
    "rejoin_redis_writes", "Writes to Redis, each with all the commands of one moment: the round trips"
).series()
REDIS_REFUSALS = Counter(
    "rejoin_redis_refusals",
    "Commands that Redis refused; some are in order, such as a script that it does not know yet",
)
REDIS_CONNECTS_FAILED = Counter("rejoin_redis_connects_failed", "Tries to connect to Redis in vain")
REDIS_DISCONNECTS = Counter("rejoin_redis_disconnects", "Connections to Redis that broke")
