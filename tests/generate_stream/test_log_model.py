"""A model of the log, its writers and those who take over, against the scripts on a real Redis, step by step."""

import asyncio
import copy
import dataclasses
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import nanoid
import redis.asyncio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from services.generate_stream.attempt import Ask, Attempt, Fields, Held
from services.generate_stream.bodies import StartBody
from services.generate_stream.log import Appended, Early, Fenced, Gap, Lease, Log
from shared import keys
from shared.events import is_started, is_terminal
from shared.position import Position
from tests.connections import wires

T = TypeVar("T")

LEASE_S, TTL_S = 600.0, 3600.0
"""No lease ends by itself here: the model says when."""

Entries = list[tuple[Position, Fields]]


@dataclass
class World:
    """What Redis should hold of the session."""

    log: Entries = field(default_factory=list)
    meta: Fields = field(default_factory=dict)
    """Without the lease's end, which only Redis knows."""

    @property
    def running(self) -> bool:
        return self.meta.get("status") == "running"

    @property
    def attempt_ms(self) -> int:
        return int(self.meta.get("attemptMs", -1))

    @property
    def last(self) -> Position:
        return self.log[-1][0] if self.log else Position(-1, -1)

    @property
    def stopping(self) -> bool:
        return self.meta.get("stop", "none") == self.meta.get("generation")


@dataclass
class Author:
    """A producer with its attempt and its whole answer, as the writer keeps it; it may be dead, paused or fenced."""

    attempt: Attempt
    draft: list[Fields]
    status: str = ""

    def write(self, words: int) -> None:
        if not self.status:
            generation = str(self.attempt.generation)
            fields = {"type": "chunk", "generation": generation}
            self.draft += [fields | {"content": nanoid.generate(size=4), "ms": "1"} for _ in range(words)]

    def end(self, status: str) -> None:
        if not self.status:
            self.status = status
            self.draft.append(terminal(self.attempt.generation, status))


@dataclass(frozen=True)
class Moment:
    """What Redis held after one write, to go back to: the keys as they were, and what was known of them."""

    dumps: tuple[bytes | None, bytes | None]
    world: World


Reply = Appended | Gap | Fenced | Early


class LogMachine(RuleBasedStateMachine):
    """One session. Whoever acts may have slept through anything, and any reply may be lost: the call comes again."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.session = str(nanoid.generate())
        self.world = World()
        self.moments = [Moment((None, None), World())]
        self.authors: list[Author] = []
        self.asks: list[tuple[Ask, Fields]] = []
        self.seen: list[Held] = []
        self.given_ms = -1
        """The latest ms that was given to an attempt, ever."""
        self.ended_leases = 0
        self.cut_off: set[int] = set()
        """Generations whose end Redis has lost."""
        self.do(self._open(self.url))

    def do(self, work: Awaitable[T]) -> T:
        async def done() -> T:
            return await work

        return self.runner.run(done())

    async def _open(self, redis_url: str) -> None:
        self.wires = wires(redis_url, user="generate"), wires(redis_url, user="generate")
        self.log = Log(*self.wires, "model", Lease(LEASE_S, TTL_S))
        self.redis = redis.asyncio.Redis.from_url(redis_url, protocol=2)

    def teardown(self) -> None:
        self.do(self._close())
        self.runner.close()

    async def _close(self) -> None:
        await self.redis.delete(*self._keys)
        await self.redis.aclose()
        for wire in self.wires:
            await wire.close()

    @property
    def _keys(self) -> tuple[str, str]:
        return keys.log(self.session), keys.meta(self.session)

    @rule(key=st.sampled_from(["", "", "key"]), prompt=st.sampled_from(["Why?", "How?"]), again=st.booleans())
    def start(self, key: str, prompt: str, again: bool) -> None:
        """A POST, perhaps one whose reply was lost just now."""
        body = StartBody.model_validate({"prompt": prompt})
        ask = Ask(self.session, body, "demo", "demo", nanoid.generate(), "model", key)
        told = ask.told()
        known = self.world.meta.get(f"idempotency:{key}", "")
        expected = ["started"]
        if known:
            generation, _, digest = known.partition(" ")
            status = self.world.meta["status"]
            expected = ["same", generation, status] if digest == body.digest() else ["reused", status]
        elif self.world.running:
            expected = ["running", self.world.meta["generation"]]
        reply = self.do(self.log.start(ask, told, 1000))
        if expected == ["started"]:
            self._has_begun(ask.begun(int(reply[1]), int(reply[2]), told), reply)
            expected = reply
        assert reply == expected
        if again and reply[0] == "started":
            assert self.do(self.log.start(ask, told, 1000)) == reply
        self._written()

    def _has_begun(self, attempt: Attempt, reply: list[str]) -> None:
        assert reply[0] == "started"
        known = max((int(fields["generation"]) for _, fields in self.world.log), default=0)
        assert attempt.generation == 1 + max(known, int(self.world.meta.get("generation", 0)))
        self._is_new(attempt.ms)
        self.world.meta = without(self.world.meta, "stop", "losses") | attempt.meta
        self.world.log.append((Position(attempt.ms, 0), attempt.started))
        self.authors.append(Author(attempt, [attempt.started]))

    def _is_new(self, ms: int) -> None:
        assert ms > self.given_ms, "ids grow for ever"
        self.given_ms = ms

    @precondition(lambda self: self.authors)
    @rule(data=st.data(), words=st.integers(0, 3), end=st.sampled_from(["", "", "", "completed", "failed"]))
    def write(self, data: st.DataObject, words: int, end: str) -> None:
        """An author adds to its answer, and sends it from where it believes the log to be: it may be wrong."""
        author = self._author(data)
        author.write(words)
        if end:
            author.end(end)
        first = data.draw(st.integers(0, len(author.draft)), label="first")
        for _ in range(data.draw(st.integers(1, 2), label="times")):
            self._append(author, first)
        self._written()

    @precondition(lambda self: self.authors)
    @rule(data=st.data())
    def recover(self, data: st.DataObject) -> None:
        """An author fills what is missing, as a writer does: unless it is fenced, its whole answer is there then."""
        author = self._author(data)
        reply = self._append(author, len(author.draft))
        if isinstance(reply, Gap):
            reply = self._append(author, reply.last + 1)
        if isinstance(reply, Early):
            # The author of the generation before does not come: this one ends it.
            reply = self._append(author, 0, insist=True)
        assert isinstance(reply, Appended | Fenced), "one refill is enough"
        if isinstance(reply, Appended):
            found = [fields for at, fields in self.world.log if at.ms == author.attempt.ms]
            assert found == author.draft
            assert self.world.log[-1][1] == author.draft[-1]
        self._written()

    @precondition(lambda self: self.authors)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """An author that drains lets go."""
        author = self._author(data)
        if not author.status:
            self._append(author, len(author.draft), "release")
            self._written()

    def _author(self, data: st.DataObject) -> Author:
        return data.draw(st.sampled_from(self.authors[-3:]), label="author")

    def _append(self, author: Author, first: int, then: str = "", *, insist: bool = False) -> Reply:
        then = then or author.status
        reply = self.do(self.log.append(author.attempt, first, author.draft[first:], then, insist=insist))
        expected = self._appended(author, first, then, insist=insist)
        assert reply == expected
        return reply

    def _appended(self, author: Author, first: int, then: str, *, insist: bool) -> Reply:
        """What an append must answer; and what it adds, the model adds too."""
        world, attempt = self.world, author.attempt
        mine = world.attempt_ms == attempt.ms and world.meta.get("token") == attempt.token
        if world.meta.get("status") == "deleted" or not (mine or world.attempt_ms < attempt.ms):
            return Fenced()
        if world.last.ms > attempt.ms:
            return Fenced()
        have = world.last.seq if world.last.ms == attempt.ms else -1
        if not mine and first > 0:
            return Gap(-1)
        if first > have + 1:
            return Gap(have)
        if not mine and not world.running and world.meta.get("generation") == str(attempt.generation):
            return Fenced()  # Redis lost the takeover, and the attempt before it has come to the end
        if not mine and attempt.generation < int(world.meta.get("generation", 0)):
            return Fenced()  # Redis lost a delete, and the life of the session that began after it
        known = int(world.meta.get("generation", 0))
        unended = not mine and world.running and bool(world.log) and known != attempt.generation
        if not insist and not mine and (unended or attempt.generation > known + 1):
            return Early()
        if unended:
            lost = known
            world.log.append((Position(world.last.ms, world.last.seq + 1), lost_end(lost)))
            self.cut_off.discard(lost)
        stop = mine and world.stopping
        if not mine:
            world.meta = without(world.meta, "stop", "losses") | attempt.meta
        world.log += [(Position(attempt.ms, seq), author.draft[seq]) for seq in range(have + 1, len(author.draft))]
        if author.status:
            world.meta["status"] = author.status
            self.cut_off.discard(attempt.generation)
        return Appended(world.last.seq, stop)

    @rule(generation=st.sampled_from([None, None, 1, 2]))
    def stop(self, generation: int | None) -> None:
        """Somebody asks for the end, perhaps of a generation that does not run."""
        world, expected = self.world, ["idle"]
        if world.meta.get("status", "deleted") == "deleted":
            expected = ["unknown"]
        elif world.running and str(generation or world.meta["generation"]) == world.meta["generation"]:
            expected = ["stopping", world.meta["generation"]]
            world.meta["stop"] = world.meta["generation"]
        assert self.do(self.log.stop(self.session, generation, "")) == expected
        self._written()

    @precondition(lambda self: self.world.running)
    @rule()
    def lease_ends(self) -> None:
        """The producer has been silent for too long, and somebody sees it. No two leases end at the same time."""
        self.ended_leases += 1
        now_ms = self.do(self.log.held(self.session)).now_ms
        self.do(self.redis.hset(keys.meta(self.session), "leaseUntilMs", now_ms - self.ended_leases * 1000))
        self.seen.append(self.do(self.log.held(self.session)))
        self._written()

    @precondition(lambda self: self.world.running)
    @rule()
    def look(self) -> None:
        """One who may take over sees the lease; what it does about it comes later."""
        self.seen.append(self.do(self.log.held(self.session)))

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), policy=st.sampled_from(["restart", "restart", "failed"]), again=st.booleans())
    def claim(self, data: st.DataObject, policy: str, again: bool) -> None:
        """One who has looked, however long ago, takes over, or ends it."""
        seen, now = data.draw(st.sampled_from(self.seen), label="seen"), self.do(self.log.held(self.session))
        if seen.released and seen.meta["token"] != now.meta.get("token"):
            return  # all that is released looks alike; a claim is void long before this could happen
        seen = dataclasses.replace(seen, now_ms=now.now_ms)
        token, told = nanoid.generate(), seen.told()
        ends = {"failed": {"ms": "0", "code": "producer_lost"}, "stopped": {"ms": "0"}}

        def call() -> list[str]:
            return self.do(self.log.claim(seen, token, policy, told, ends["failed"], ends["stopped"]))

        reply = call()
        assert reply[0] == self._claimed(seen, now, policy)
        if reply[0] in ("claimed", "ended"):
            self._is_taken(seen, token, told, reply, ends)
            if again:
                assert call() == reply
        self._written()

    def _claimed(self, seen: Held, now: Held, policy: str) -> str:
        if not self.world.running:
            return "gone"
        if seen.lease_until_ms != now.lease_until_ms or not now.over(int(LEASE_S * 1000)):
            return "held"
        return "ended" if self.world.stopping or policy == "failed" else "claimed"

    def _is_taken(self, seen: Held, token: str, told: Fields, reply: list[str], ends: dict[str, Fields]) -> None:
        world = self.world
        at = self.do(anext(self.log.back(self.session))).id
        self._is_new(at.ms)
        number = str(int(world.meta["attempt"]) + 1)
        world.meta |= {"attempt": number, "attemptMs": str(at.ms), "token": token, "producer": "model"}
        if not seen.released:
            world.meta["losses"] = str(int(world.meta.get("losses", 0)) + 1)
        generation = int(world.meta["generation"])
        if reply[0] == "claimed":
            assert reply[1:] == [str(at.ms), number]
            attempt = seen.taken(at.ms, int(number), token, "model", told)
            self.authors.append(Author(attempt, [attempt.started]))
            world.log.append((at, attempt.started))
        else:
            assert reply[1] == ("stopped" if world.stopping else "failed")
            world.meta["status"] = reply[1]
            world.log.append((at, terminal(generation, reply[1]) | ends[reply[1]]))
            self.cut_off.discard(generation)

    @rule()
    def delete(self) -> None:
        """Somebody removes the session."""
        world = self.world
        self.do(self.log.delete(self.session, ""))
        if world.log or world.meta:
            self.world = World([], {"status": "deleted", "attemptMs": str(max(world.attempt_ms, world.last.ms))})
        self._written()

    @precondition(lambda self: len(self.moments) > 1)
    @rule(writes=st.integers(1, 5))
    def lose(self, writes: int) -> None:
        """Redis crashes, and comes back without its last writes; its clock has gone on."""
        had = self._ended()
        del self.moments[-min(writes, len(self.moments) - 1) :]
        moment = self.moments[-1]
        self.do(self._restore(moment))
        self.world = copy.deepcopy(moment.world)
        self.cut_off |= had - self._ended()

    async def _restore(self, moment: Moment) -> None:
        for key, dump in zip(self._keys, moment.dumps, strict=True):
            await self.redis.delete(key)
            if dump is not None:
                await self.redis.restore(key, int(TTL_S * 1000), dump)
        while (await self.log.held(self.session)).now_ms <= self.given_ms:
            pass

    def _ended(self) -> set[int]:
        return {int(fields["generation"]) for _, fields in self.world.log if is_terminal(fields)}

    def _written(self) -> None:
        dumps = self.do(self._dump())
        self.moments.append(Moment(dumps, copy.deepcopy(self.world)))

    async def _dump(self) -> tuple[bytes | None, bytes | None]:
        log, meta = self._keys
        return await self.redis.dump(log), await self.redis.dump(meta)

    @invariant()
    def redis_holds_what_the_model_holds(self) -> None:
        entries, meta = self.do(self._read())
        assert entries == self.world.log
        meta.pop("leaseUntilMs", None)
        assert meta == self.world.meta

    async def _read(self) -> tuple[Entries, Fields]:
        entries = [(entry.id, entry.fields) async for entry in self.log.back(self.session)]
        for key in self._keys:
            assert await self.redis.ttl(key) != -1, "every key has an end"
        return entries[::-1], dict((await self.log.held(self.session)).meta)

    @invariant()
    def ids_are_dense_within_each_attempt_which_begins_with_its_start_or_is_only_an_end(self) -> None:
        attempts: dict[int, Entries] = {}
        for at, fields in self.world.log:
            attempts.setdefault(at.ms, []).append((at, fields))
        for entries in attempts.values():
            assert [at.seq for at, _ in entries] == list(range(len(entries)))
            assert is_started(entries[0][1]) or (is_terminal(entries[0][1]) and len(entries) == 1)
        assert list(attempts) == sorted(attempts)

    @invariant()
    def each_generation_has_one_end_and_it_is_the_last_of_it(self) -> None:
        generations: dict[int, list[Fields]] = {}
        for _, fields in self.world.log:
            generations.setdefault(int(fields["generation"]), []).append(fields)
        assert list(generations) == sorted(generations), "one after the other"
        newest = max(generations, default=0)
        for number, entries in generations.items():
            ends = [place for place, fields in enumerate(entries, 1) if is_terminal(fields)]
            assert ends in ([], [len(entries)])
            assert ends or number == newest or number in self.cut_off
            if number == newest:
                assert bool(ends) == (not self.world.running)


def without(fields: Fields, *names: str) -> Fields:
    return {name: value for name, value in fields.items() if name not in names}


def terminal(generation: int, status: str) -> Fields:
    return {"type": "metadata", "status": status, "generation": str(generation)}


def lost_end(generation: int) -> Fields:
    """What `append` gives to a generation whose own writer does not come back."""
    why = {"ms": "0", "code": "producer_lost", "error": "The end of this answer was lost.", "retryable": "true"}
    return terminal(generation, "failed") | why


def test_no_order_of_writes_losses_and_takeovers_breaks_the_log(redis_url: str) -> None:
    bounded = settings(max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))

    class Machine(LogMachine):
        url = redis_url

    run_state_machine_as_test(Machine, settings=bounded)
