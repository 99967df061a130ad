"""What was seen on the way to the services: answers, streams of beacons, a demo's answer."""

from typing import Any, NamedTuple


class Answer(NamedTuple):
    """An answer to one request; status 0 where there was none, and then `cause` says why."""

    status: int = 0
    body: dict[str, Any] | None = None
    """Where it was JSON."""
    asked_ms: float = 0.0
    answered_ms: float = 0.0
    date_ms: float | None = None
    """What the header Date says."""
    cause: str = ""

    @property
    def code(self) -> str:
        """The code of an error that is Rejoin's own; empty for anything else."""
        error = (self.body or {}).get("error")
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def is_report(self) -> bool:
        """Whether a service's doctor gave it; a page that answers every path with itself also says 200."""
        return self.status == 200 and "findings" in (self.body or {})


class Beacon(NamedTuple):
    """When it was sent by the service's clock, and when it was here by ours."""

    sent_ms: float
    here_ms: float


class Heard(NamedTuple):
    """A stream of beacons as it arrived."""

    status: int = 0
    media_type: str = ""
    encoding: str = ""
    """How it was compressed; empty for not at all."""
    beacons: tuple[Beacon, ...] = ()
    is_whole: bool = False
    """Whether it ended as it should. Else it was cut, or did not end in time."""
    lasted_s: float = 0.0
    silent_s: float = 0.0
    """How long nothing had come when it ended."""
    cause: str = ""


class Asked(NamedTuple):
    """A generation from the prompt to its end."""

    first_word_ms: float | None
    chunks: int
    status: str
    """That of its last entry, or why there is none."""
    is_exact: bool = False
    """Whether its words have the digest that their writer gave them."""


class Chain(NamedTuple):
    """All that was seen of one address."""

    url: str
    consume_route: Answer
    generate_route: Answer
    consume: Answer
    """The report of consume-stream."""
    generate: Answer
    alpn: str | None = None
    """What TLS agreed on; None without TLS."""
    live: Heard | None = None
    as_browsers: Heard | None = None
    """The beginning of a stream that may come compressed."""
    quiet: Heard | None = None
    """A stream in which nothing but signs of life comes for a while; None where there was no time for it."""
    quiet_wanted_s: float = 0.0
    asked: Asked | str = ""
    """A demo's answer, or why it was not asked for."""
