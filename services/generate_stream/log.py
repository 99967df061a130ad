"""The log of a session, from its writer's side: start, append, stop, claim, delete, and reading back."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from services.generate_stream import scripts
from services.generate_stream.attempt import Ask, Attempt, Fields, Held
from shared import events, keys
from shared.access.shares import Share
from shared.events import Entry
from shared.position import Position
from shared.redis import retried
from shared.script import Script
from shared.server_clock import unix_ms
from shared.wire import Argument, Wire, pack
from shared.wires import Wires

_PAGE = 200
"""Entries per step of reading back; at 16 KiB each, some 3 MB at most."""


_SCORE_MARGIN_MS = 1000
"""How far a living writer's idea of the server's clock may be off."""

CLAIM_HOLDS_MS = 1000
"""How long, by the server's clock, what a claimer saw of a lease is good for."""


class Lease(NamedTuple):
    """What every write says: how long a silent producer keeps its attempt, how long an idle session stays."""

    lease_s: float
    ttl_s: float

    @property
    def lease_ms(self) -> int:
        return int(self.lease_s * 1000)

    @property
    def ttl(self) -> int:
        """Whole seconds, as EXPIRE takes them, at least one."""
        return max(1, round(self.ttl_s))


class Appended(NamedTuple):
    """The log has everything up to `last`; `stop` says that somebody asked for the end."""

    last: int
    stop: bool


class Gap(NamedTuple):
    """Redis has this attempt only up to `last`, -1 for not even its beginning; nothing was added."""

    last: int


class Early(NamedTuple):
    """Redis lost the end of the generation before, too; its writer goes first. Nothing was added."""


class Fenced(NamedTuple):
    """The attempt is another's now, or the session is gone: nothing was added, and nothing will be."""


class Log:
    """All logs, through the wires for appends and those for all other commands."""

    def __init__(self, appends: Wires, commands: Wires, producer: str, lease: Lease) -> None:
        self.producer = producer
        self._appends = appends
        self._commands = commands
        self._lease = lease
        self._clock_ahead_ms = 0.0
        """How far the clock of the index's server is ahead of this machine's, by the latest reply that told."""

    def epoch(self, session: str) -> tuple[str, int]:
        """Which connection a session's appends take: the same one means that Redis has not been away between."""
        return self._appends.epoch(keys.log(session))

    async def broken(self, session: str) -> None:
        """Wait until the connection for a session's appends breaks: Redis may come back without its last second."""
        await self._appends.of(keys.log(session)).broken()

    def node(self, session: str) -> str:
        """The Redis on which a log lies."""
        return self._commands.redis.node(keys.log(session))

    def beside_index(self, session: str) -> bool:
        """Whether a log lies on the same Redis as the index of running generations."""
        return self.node(session) == self._commands.redis.node(keys.RUNNING)

    def connected_s(self, session: str) -> float:
        """How long the connection for commands about a log has stood; negative while none does."""
        return time.monotonic() - self._commands.of(keys.log(session)).connected_at

    @property
    def _publish(self) -> str:
        return self._appends.redis.publish

    async def start(self, ask: Ask, told: Fields, generations_max: int, *, refuse: bool = False) -> list[str]:
        """Begin a generation, unless one runs or, after all else that may be said, it is to be refused; the reply is
        the script's. Safe to send again.
        """
        key, digest = ask.idempotency_key, ask.body.digest()
        head = (ask.token, ask.producer, self._lease.lease_ms, self._lease.ttl, self._publish, generations_max)
        asked = (ask.request, ask.messages, ask.body.replaces or "", *ask.cause.values(), ask.owner, ask.address)
        onward = ("" if ask.after is None else ask.after, ask.continues or "", "refuse" if refuse else "")
        arguments = (*head, key, digest, *asked, *onward, *_flat(told))
        return _text(await scripts.START(self._commands.of(keys.log(ask.session)), _keys(ask.session), arguments))

    async def append(
        self, attempt: Attempt, first: int, entries: Sequence[Fields], then: str = "", *, insist: bool = False
    ) -> Appended | Gap | Fenced | Early:
        """Write `entries` from seq `first` on, renew the lease, and learn whether to go on.

        `then` is `release`, or the status with which the last entry ends the generation. Safe to send again. With
        `insist` it is never Early: a generation before that has no end gets one, `failed`.
        """
        meta = _flat(attempt.meta) if first == 0 else []
        counted = _counted(entries)
        lease, ttl = self._lease.lease_ms, self._lease.ttl
        head = (attempt.ms, attempt.token, first, lease, ttl, self._publish, then, "1" if insist else "", len(meta))
        arguments = (*head, *meta, *counted)
        wire = self._appends.of(keys.log(attempt.session))
        reply = await scripts.APPEND(wire, _keys(attempt.session), arguments)
        match reply[0]:
            case b"ok":
                if self.beside_index(attempt.session):
                    self._clock_ahead_ms = int(reply[3]) - time.time() * 1000
                return Appended(int(reply[1]), bool(reply[2]))
            case b"gap":
                return Gap(int(reply[1]))
            case b"early":
                return Early()
            case _:
                return Fenced()

    async def stop(self, session: str, generation: int | None, owner: str) -> list[str]:
        """Ask for the end of what runs; the reply is the script's."""
        arguments = (generation or "", keys.control(""), session, owner)
        return _text(await self._retried(scripts.STOP, session, arguments))

    async def claim(
        self, held: Held, token: str, policy: str, told: Fields, failed: Fields, stopped: Fields
    ) -> list[str]:
        """Take over an attempt whose lease, as seen, is over; the reply is the script's. Holds for a moment only."""
        lease, ttl, until_ms = self._lease.lease_ms, self._lease.ttl, held.now_ms + CLAIM_HOLDS_MS
        lists = _counted((told, failed, stopped))
        seen = held.meta["token"]
        publish = self._publish
        arguments = (held.lease_until_ms, token, self.producer, lease, ttl, publish, policy, until_ms, seen, *lists)
        return _text(await scripts.CLAIM(self._commands.of(keys.log(held.session)), _keys(held.session), arguments))

    async def delete(self, session: str, owner: str) -> None:
        """Remove a session; what runs in it is fenced and woken."""
        arguments = (self._lease.ttl, self._publish, keys.control(""), session, owner)
        await self._retried(scripts.DELETE, session, arguments)

    async def erase(self, session: str, generation: int, owner: str, ids: Sequence[str]) -> str:
        """Remove entries of a generation; the reply is the script's."""
        arguments: list[Argument] = [owner, generation, self._lease.ttl, self._publish, *ids]
        return _text(await self._retried(scripts.ERASE, session, arguments))[0]

    async def share(self, share: Share, owner: str, most: int) -> str:
        """Grant a share; the reply is the script's."""
        arguments = (owner, share.field, share.value, share.generation or "", most)
        return _text(await self._retried(scripts.SHARE, share.session, arguments))[0]

    async def shares(self, session: str, owner: str) -> list[Share] | None:
        """What is granted, expired or not; None for no such session."""
        said, *flat = _text(await self._retried(scripts.SHARES, session, (owner,)))
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return None if said == "unknown" else [Share.of_meta(session, field, value) for field, value in pairs]

    async def unshare(self, session: str, share_id: str | None, owner: str) -> int | None:
        """Revoke one share, or all, and have their viewers closed; how many, None for no such session."""
        field = f"share:{share_id}" if share_id else ""
        said, *revoked = _text(await self._retried(scripts.UNSHARE, session, (owner, field, self._publish)))
        return None if said == "unknown" else int(revoked[0])

    async def enter_running(self, session: str, score: float | None = None) -> float:
        """Put a session into the index of running generations; returns the score it got: about the lease's end."""
        if score is None:
            # Fractions of a millisecond make the score this writer's own, so that it is recognised when it leaves.
            score = (time.time() + self._lease.lease_s) * 1000 + self._clock_ahead_ms
        await self._index.call("ZADD", keys.RUNNING, repr(score), session)
        return score

    async def leave_running(self, session: str, score: float) -> None:
        """Take a session out of the index, unless it was entered again since `score`."""
        await scripts.LEAVE(self._index, [keys.RUNNING], (session, score))

    async def runs(self, session: str, generation: int) -> bool:
        """Whether a generation of a session has no end yet."""
        wire = self._commands.of(keys.log(session))
        held = await wire.call("HMGET", keys.meta(session), "status", "generation")
        return bool(held == [b"running", str(generation).encode()])

    async def clocks(self) -> dict[str, float]:
        """How far the clock of each Redis is ahead of this machine's (ms), as `Wires.clocks`."""
        told = await self._commands.clocks()
        ahead = {node: clock_ms - time.time() * 1000 for node, clock_ms in told.items()}
        self._clock_ahead_ms = ahead.get(self._commands.redis.node(keys.RUNNING), self._clock_ahead_ms)
        return ahead

    async def due(self, most: int) -> list[tuple[str, float]]:
        """Sessions of the index whose lease should be over, with their scores, the longest over first.

        Also those that are further ahead than a lease: their scores are of a clock that went back since. By the clock
        as `clocks` has found it.
        """
        now = int(time.time() * 1000 + self._clock_ahead_ms)
        lives_until = now + self._lease.lease_ms + _SCORE_MARGIN_MS
        find, page = ("ZRANGEBYSCORE", keys.RUNNING), ("WITHSCORES", "LIMIT", 0, most)
        over = self._index.send(pack(*find, "-inf", now, *page))
        ahead = self._index.send(pack(*find, lives_until, "+inf", *page))
        flat = [*await over, *await ahead]
        return [(flat[at].decode(), float(flat[at + 1])) for at in range(0, len(flat), 2)]

    async def held(self, session: str) -> Held:
        """What meta says, and its server's clock."""
        wire = self._commands.of(keys.log(session))
        clock = wire.send(pack("TIME"))
        flat = _text(await wire.call("HGETALL", keys.meta(session)))
        return Held(session, dict(zip(flat[::2], flat[1::2], strict=True)), int(unix_ms(await clock)))

    async def now_ms(self, session: str) -> int:
        """The clock of a log's server."""
        return int(unix_ms(await self._commands.of(keys.log(session)).call("TIME")))

    async def hand_over(self, session: str) -> None:
        """Tell the other processes of a released generation."""
        await self._index.call("PUBLISH", keys.TAKEOVER, session)

    async def messages(self, session: str) -> tuple[str, str]:
        """The newest conversation that a client brought along, as JSON, and its generation; empty without one."""
        wire = self._commands.of(keys.log(session))
        brought, generation = await wire.call("HMGET", keys.meta(session), "messages", "messagesGeneration")
        return (brought or b"").decode(), (generation or b"").decode()

    async def knows(self, session: str, owner: str) -> bool:
        """Whether an owner may be told of a session; without owners everybody may."""
        held = await self._commands.of(keys.log(session)).call("HMGET", keys.meta(session), "owner")
        return not owner or (held[0] or b"").decode() == owner

    async def back(self, session: str, before: Position | None = None) -> AsyncIterator[Entry]:
        """The entries of a log, newest first, from just before a position or from the end."""
        log, end = keys.log(session), f"({before}" if before else "+"
        while True:
            page = await self._commands.of(log).call("XREVRANGE", log, end, "-", "COUNT", _PAGE)
            for raw in page:
                yield events.decode(raw)
            if len(page) < _PAGE:
                return
            end = f"({page[-1][0].decode()}"

    @property
    def _index(self) -> Wire:
        return self._commands.of(keys.RUNNING)

    async def _retried(self, script: Script, session: str, arguments: Sequence[Argument]) -> Any:
        # The wire is looked up for each try: a log may have gone to another node since.
        return await retried(lambda: script(self._commands.of(keys.log(session)), _keys(session), arguments))


def _keys(session: str) -> list[str]:
    return [keys.log(session), keys.meta(session)]


def _flat(fields: Fields) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _counted(lists: Sequence[Fields]) -> list[Argument]:
    """Each preceded by how many strings it has, as the scripts read them."""
    parts: list[Argument] = []
    for fields in lists:
        parts += [len(fields) * 2, *_flat(fields)]
    return parts


def _text(reply: Sequence[Any]) -> list[str]:
    return [part.decode() if isinstance(part, bytes) else str(part) for part in reply]
