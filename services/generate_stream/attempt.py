"""An attempt: where one run of a generation writes, what proves that it may, what a Redis that lost it gets again."""

import datetime
import json
from dataclasses import dataclass, field

from services.generate_stream.bodies import StartBody

Fields = dict[str, str]

_NUMBERS = ("maxTokens", "temperature", "topP")
"""What is told of how a model was asked, where that was said. No system's words, and no tools: whoever may read an
answer reads this.
"""

LOST_CODE = "producer_lost"
"""The error of an answer that no producer could bring to its end."""


class _OfMeta:
    """What meta says of a generation, whoever runs it."""

    meta: Fields

    @property
    def request_id(self) -> str:
        """The request that the generation was asked for by; empty where meta does not tell."""
        return self.meta.get("requestId", "")

    @property
    def traceparent(self) -> str:
        """Where that request is in a trace; empty where there is none."""
        return self.meta.get("traceparent", "")

    @property
    def owner(self) -> str:
        """Whose it is; empty without authentication."""
        return self.meta.get("owner", "")

    @property
    def address(self) -> str:
        """The subject of quotas that asked for it, as `keys.subject` names it; empty where addresses have no limits."""
        return self.meta.get("address", "")

    @property
    def losses(self) -> int:
        """How many producers the generation has lost."""
        return int(self.meta.get("losses", 0))


@dataclass(frozen=True)
class Attempt(_OfMeta):
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
    request_id: str = ""
    traceparent: str = ""
    owner: str = ""
    """Whose session it is; empty without authentication."""
    address: str = ""
    """The subject of quotas that its sender's address is, or empty."""
    after: int | None = None
    """The generation that it goes on from, where that is said or decided."""
    continues: int | None = None
    """With results of tools: the generation whose message it goes on with."""

    @property
    def request(self) -> str:
        """What to run, as JSON, with all that is decided: another process may have other defaults."""
        decided = {"provider": self.provider, "model": self.model, "after": self.after}
        return self.body.model_copy(update=decided).request()

    @property
    def messages(self) -> str:
        """The conversation that the client brought along, as JSON; empty without one."""
        if not self.body.messages:
            return ""
        return json.dumps([message.model_dump(exclude_none=True) for message in self.body.messages])

    @property
    def cause(self) -> Fields:
        """By which request it was asked for, and where that is in a trace: whoever goes on with it tells it so."""
        return {"requestId": self.request_id, "traceparent": self.traceparent}

    def told(self) -> Fields:
        """The fields of `started` that say what was asked."""
        return _told(self.body, self.provider, self.model)

    def begun(self, generation: int, ms: int, told: Fields) -> Attempt:
        """The first attempt, as the log's script has written it."""
        number = str(generation)
        started = {"type": "metadata", "status": "started", "generation": number, "attempt": "1"}
        if self.body.replaces:
            started["replaces"] = str(self.body.replaces)
        started |= _onward(generation, self.after, str(self.continues or ""))
        meta = {"generation": number, "status": "running", "attempt": "1", "attemptMs": str(ms)}
        meta |= {"token": self.token, "producer": self.producer, "request": self.request}
        if self.messages:
            meta |= {"messages": self.messages, "messagesGeneration": number}
        meta |= self.cause | {name: value for name in ("owner", "address") if (value := getattr(self, name))}
        if self.continues:
            meta["continues"] = str(self.continues)
        if self.idempotency_key:
            meta[f"idempotency:{self.idempotency_key}"] = f"{generation} {self.body.digest()}"
        return Attempt(self.session, generation, 1, ms, self.token, started | told, meta)


@dataclass(frozen=True)
class Held(_OfMeta):
    """What meta says of a session's newest generation, and what the server's clock said with it."""

    session: str
    meta: Fields = field(repr=False)
    now_ms: int

    @property
    def running(self) -> bool:
        """Whether the generation has no end yet."""
        return self.meta.get("status") == "running"

    @property
    def lease_until_ms(self) -> int:
        """The end of the lease by the server's clock; 0 when the producer has let go."""
        return int(self.meta["leaseUntilMs"])

    @property
    def released(self) -> bool:
        """Whether the producer has let go, for another to begin the next attempt."""
        return self.running and self.lease_until_ms == 0

    def over(self, lease_ms: int) -> bool:
        """Whether the producer may be taken for dead. A lease further ahead than one lease is over: the clock went
        back.
        """
        left = self.lease_until_ms - self.now_ms
        return self.running and (left <= 0 or left > lease_ms)

    @property
    def attempt(self) -> int:
        """Which attempt it is that was lost, or let go."""
        return int(self.meta["attempt"])

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked for its end."""
        return self.meta.get("stop") == self.meta["generation"]

    @property
    def generation(self) -> int:
        """Its number."""
        return int(self.meta["generation"])

    @property
    def body(self) -> StartBody:
        """What to run. The provider and the model are decided in it."""
        return StartBody.model_validate_json(self.meta["request"])

    def told(self) -> Fields:
        """The fields of the next attempt's `started` that say what was asked."""
        body = self.body
        replaces = {"replaces": str(body.replaces)} if body.replaces else {}
        onward = _onward(self.generation, body.after, self.meta.get("continues", ""))
        return replaces | onward | _told(body, body.provider or "", body.model or "")

    def taken(self, ms: int, number: int, token: str, producer: str, told: Fields) -> Attempt:
        """The next attempt, as the log's script has written it."""
        started = {"type": "metadata", "status": "started", "generation": str(self.generation)}
        started |= {"attempt": str(number)} | told
        # A share may be revoked meanwhile: a Redis that lost all must not get it again from here.
        kept = {name: value for name, value in self.meta.items() if not name.startswith("share:")}
        for name in ("leaseUntilMs", "stop"):
            kept.pop(name, None)
        losses = {"losses": str(self.losses + 1)} if self.lease_until_ms else {}
        meta = kept | losses | {"attempt": str(number), "attemptMs": str(ms), "token": token, "producer": producer}
        return Attempt(self.session, self.generation, number, ms, token, started, meta)


def _onward(generation: int, after: int | None, continues: str) -> Fields:
    """What it goes on from, where that is not the generation before it; and whose message it goes on with."""
    fields = {} if after is None or after == generation - 1 else {"after": str(after)}
    return fields | ({"continues": continues} if continues else {})


def _told(body: StartBody, provider: str, model: str) -> Fields:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"prompt": body.question, "provider": provider, "model": model, "startedAt": now}
    if body.toolResults:
        results = [result.model_dump() for result in body.toolResults]
        told["toolResults"] = json.dumps(results, ensure_ascii=False)
    if body.metadata:
        told["metadata"] = json.dumps(body.metadata, ensure_ascii=False)
    return told | {name: json.dumps(value) for name in _NUMBERS if (value := getattr(body, name)) is not None}
