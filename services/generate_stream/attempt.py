"""An attempt: where one run of a generation writes, what proves that it may, what a Redis that lost it gets again."""

import datetime
import json
from dataclasses import dataclass, field

from services.generate_stream.bodies import StartBody

Fields = dict[str, str]


@dataclass(frozen=True)
class Attempt:
    """One run of a generation by this process. Its entries have the ids `<ms>-0`, `<ms>-1` …"""

    session: str
    generation: int
    number: int
    ms: int
    token: str
    started: Fields = field(repr=False)
    """The entry that begins it, whole."""
    meta: Fields = field(repr=False)
    """What meta holds while it runs, but for the lease."""


@dataclass(frozen=True)
class Ask:
    """What is to be begun: a request for one session, made by one producer, with one token."""

    session: str
    body: StartBody = field(repr=False)
    provider: str
    model: str
    token: str = field(repr=False)
    producer: str
    idempotency_key: str = field(repr=False)

    @property
    def request(self) -> str:
        """What to run, as JSON, with the provider and the model decided: another process may have other defaults."""
        return self.body.model_copy(update={"provider": self.provider, "model": self.model}).request()

    @property
    def messages(self) -> str:
        """The conversation that the client brought along, as JSON; empty without one."""
        if not self.body.messages:
            return ""
        return json.dumps([message.model_dump() for message in self.body.messages])

    def told(self) -> Fields:
        """The fields of `started` that say what was asked."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"prompt": self.body.question, "provider": self.provider, "model": self.model, "startedAt": now}

    def begun(self, generation: int, ms: int, told: Fields) -> Attempt:
        """The first attempt, as the log's script has written it."""
        number = str(generation)
        started = {"type": "metadata", "status": "started", "generation": number, "attempt": "1"}
        if self.body.replaces:
            started["replaces"] = str(self.body.replaces)
        meta = {"generation": number, "status": "running", "attempt": "1", "attemptMs": str(ms)}
        meta |= {"token": self.token, "producer": self.producer, "request": self.request}
        if self.messages:
            meta |= {"messages": self.messages, "messagesGeneration": number}
        if self.idempotency_key:
            meta[f"idempotency:{self.idempotency_key}"] = f"{generation} {self.body.digest()}"
        return Attempt(self.session, generation, 1, ms, self.token, started | told, meta)
