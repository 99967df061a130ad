"""The settings of the local run and its origin; everything else in the environment is for the services."""

import dataclasses
from pathlib import Path

from shared.settings import TEXT, Settings, count, redis_url, seconds, variable

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: the services run from its source tree."""

PORT = count(1, 65_535)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalSettings(Settings):
    """What `python -m deploy.local` and `python -m deploy.origin` read."""

    redis_url: str = variable(
        "REDIS_URL", redis_url(), "", "Where Redis is; unset: a private one is started.", secret=True
    )
    port: int = variable("REJOIN_PORT", PORT, 8000, "The port of the origin: the page and both services.")
    generate_port: int = variable("REJOIN_GENERATE_PORT", PORT, 8001, "The port of generate-stream.")
    consume_port: int = variable("REJOIN_CONSUME_PORT", PORT, 8002, "The port of consume-stream.")
    data_dir: str = variable("REJOIN_DATA_DIR", TEXT, str(ROOT / ".rejoin"), "Where the private Redis keeps its data.")
    drain_s: float = variable("REJOIN_DRAIN_S", seconds(0), 3.0, "How long running answers may go on after a Ctrl-C.")

    @property
    def reach(self) -> str:
        """The address at which this machine reaches its own origin: a listener on every address is none itself."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
