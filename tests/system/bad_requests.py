"""The tables of all bad requests, one for each service."""

from tests.system.bad_bodies import bodies, stops_and_deletes
from tests.system.bad_paths import methods_and_paths, views
from tests.system.bad_request import CONSUME, DELETE, GOOD, SESSIONS, START, STOP
from tests.system.bad_starts import starts

GENERATE = [
    *bodies(START), *bodies(STOP), *bodies(DELETE), *starts(), *stops_and_deletes(),
    *methods_and_paths(
        {START: "POST", STOP: "POST", DELETE: "POST", "/api/models": "GET", "/healthz": "GET", "/readyz": "GET",
         "/metrics": "GET"},
        (CONSUME, SESSIONS + GOOD),
    ),
]  # fmt: skip

CONSUMING = [
    *views(),
    *methods_and_paths(
        {CONSUME: "GET", SESSIONS + GOOD: "GET", "/healthz": "GET", "/readyz": "GET", "/metrics": "GET"},
        (START, STOP, DELETE, "/api/models", SESSIONS, "/api/sessions", SESSIONS + GOOD + "/generations"),
    ),
]  # fmt: skip
