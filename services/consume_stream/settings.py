"""The settings of consume-stream."""

import dataclasses

from shared import settings as base
from shared.settings import count, seconds, variable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(base.Settings):
    """Everything this process reads from the environment."""

    port: int = variable("REJOIN_PORT", count(0, 65_535), 8002, "The port to listen on.")
    recheck_s: float = variable(
        "REJOIN_RECHECK_S", seconds(0.05), 5.0, "How late a viewer may be when a nudge is lost."
    )
    ping_s: float = variable("REJOIN_PING_S", seconds(0.05), 15.0, "How often a comment keeps a stream alive.")
    send_timeout_s: float = variable(
        "REJOIN_SEND_TIMEOUT_S", seconds(0.05), 30.0, "How long a viewer may take nothing before it is dropped."
    )
    batch_max: int = variable("REJOIN_BATCH_MAX", count(1, 100_000), 500, "Entries that one read brings.")
    viewers_max: int = variable("REJOIN_VIEWERS_MAX", count(), 5000, "Viewers of one process.")
    viewers_per_session_max: int = variable(
        "REJOIN_VIEWERS_PER_SESSION_MAX", count(0), 500, "Viewers of one session, in all processes; 0: no limit."
    )
    owner_viewers_max: int = variable(
        "REJOIN_OWNER_VIEWERS_MAX", count(0), 0, "Viewers that one owner is, in all processes; 0: no limit."
    )
