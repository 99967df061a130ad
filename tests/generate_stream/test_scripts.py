"""The Lua scripts on a real Redis: what each lets through, what it refuses, and what it leaves behind."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import nanoid
import pytest

from services.generate_stream.attempt import Ask, Attempt, Fields, Held
from services.generate_stream.bodies import StartBody
from services.generate_stream.log import CLAIM_HOLDS_MS, Appended, Fenced, Gap, Lease, Log
from shared import keys
from shared.channels import Channels
from shared.wire import Wire
from tests.connections import connector, wires

pytestmark = pytest.mark.anyio

LEASE_S = 5.0
END = {"type": "metadata", "status": "completed", "generation": "1", "ms": "5"}


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[Log]:
    appends, commands = wires(redis_url, user="generate"), wires(redis_url, user="generate")
    yield Log(appends, commands, "producer0001", Lease(LEASE_S, 60))
    await appends.close()
    await commands.close()


def ask(session: str, key: str = "", owner: str = "", **body: Any) -> Ask:
    request = StartBody.model_validate(body if "messages" in body else {"prompt": "Why?"} | body)
    return Ask(session, request, "demo", "demo", nanoid.generate(), "producer0001", key, owner=owner)


async def begin(log: Log, session: str, key: str = "", owner: str = "", **body: Any) -> Attempt:
    """Start a generation that must start."""
    asked = ask(session, key, owner, **body)
    told = asked.told()
    reply = await log.start(asked, told, 200)
    assert reply[0] == "started", reply
    return asked.begun(int(reply[1]), int(reply[2]), told)


def chunk(text: str) -> Fields:
    return {"type": "chunk", "generation": "1", "content": text, "ms": "1"}


async def contents(client: Any, session: str) -> list[str]:
    """The log as short words: content, or status."""
    entries = await client.xrange(keys.log(session))
    return [fields.get("content", fields.get("status")) for _, fields in entries]


async def test_start_writes_the_first_entry_and_meta_with_a_time_to_live(
    log: Log, redis_client: Any, session: str
) -> None:
    attempt = await begin(log, session, system="Be brief.")
    [(first_id, fields)] = await redis_client.xrange(keys.log(session))
    assert first_id == f"{attempt.ms}-0"
    assert fields == attempt.started
    meta = await redis_client.hgetall(keys.meta(session))
    assert 0 < int(meta.pop("leaseUntilMs")) - attempt.ms <= LEASE_S * 1000
    assert meta == attempt.meta
    for key in (keys.log(session), keys.meta(session)):
        assert 50 < await redis_client.ttl(key) <= 60


async def test_of_many_starts_in_one_moment_one_wins_and_the_others_learn_which(log: Log, session: str) -> None:
    asks = [ask(session) for _ in range(20)]
    replies = await asyncio.gather(*(log.start(one, one.told(), 200) for one in asks))
    assert sorted(reply[0] for reply in replies) == ["running"] * 19 + ["started"]
    assert {reply[1] for reply in replies} == {"1"}


async def test_a_start_sent_again_with_its_token_begins_nothing_new(log: Log, redis_client: Any, session: str) -> None:
    asked = ask(session)
    first = await log.start(asked, asked.told(), 200)
    assert await log.start(asked, asked.told(), 200) == first
    assert await contents(redis_client, session) == ["started"]


async def test_generations_count_on_from_a_log_whose_meta_is_gone(log: Log, redis_client: Any, session: str) -> None:
    later = "99999999999999-0"
    await redis_client.xadd(keys.log(session), {"type": "chunk", "generation": "7", "content": "x"}, later)
    attempt = await begin(log, session)
    assert (attempt.generation, attempt.ms) == (8, 99999999999999 + 1)


async def test_a_session_takes_no_more_generations_than_it_may(log: Log, session: str) -> None:
    attempt = await begin(log, session)
    await log.append(attempt, 1, [END], "completed")
    asked = ask(session)
    assert await log.start(asked, asked.told(), 1) == ["full"]
    assert (await log.start(asked, asked.told(), 2))[0] == "started"


async def test_an_idempotency_key_is_looked_at_before_running(log: Log, session: str) -> None:
    attempt = await begin(log, session, "key-1")
    again, other = ask(session, "key-1"), ask(session, "key-1", prompt="Something else")
    assert await log.start(again, again.told(), 200) == ["same", "1", "running"]
    assert await log.start(other, other.told(), 200) == ["reused", "running"]
    await log.append(attempt, 1, [END], "completed")
    await begin(log, session, "key-2")
    assert await log.start(again, again.told(), 200) == ["same", "1", "running"]


async def test_an_append_sent_again_adds_nothing(log: Log, redis_client: Any, session: str) -> None:
    attempt = await begin(log, session)
    for first, entries in [(1, ["a", "b"]), (1, ["a", "b"]), (2, ["b", "c"]), (3, ["c"]), (1, ["a"])]:
        reply = await log.append(attempt, first, [chunk(text) for text in entries])
        assert isinstance(reply, Appended)
    assert await contents(redis_client, session) == ["started", "a", "b", "c"]
    ids = [entry_id for entry_id, _ in await redis_client.xrange(keys.log(session))]
    assert ids == [f"{attempt.ms}-{seq}" for seq in range(4)]


async def test_a_gap_is_refused_whole_and_says_what_is_there(log: Log, redis_client: Any, session: str) -> None:
    attempt = await begin(log, session)
    assert await log.append(attempt, 2, [chunk("b")]) == Gap(0)
    assert await contents(redis_client, session) == ["started"]
    assert isinstance(await log.append(attempt, 1, [chunk("a"), chunk("b")]), Appended)


async def test_a_redis_that_lost_everything_is_filled_again_meta_included(
    log: Log, redis_client: Any, session: str
) -> None:
    attempt = await begin(log, session, "key-1", "ada", messages=[{"role": "user", "content": "Hi"}])
    await log.append(attempt, 1, [chunk("a")])
    before = await redis_client.hgetall(keys.meta(session))
    assert before["owner"] == "ada"
    await redis_client.delete(keys.log(session), keys.meta(session))
    assert await log.append(attempt, 2, [chunk("b")]) == Gap(-1)
    assert await log.append(attempt, 2, []) == Gap(-1)
    assert await redis_client.exists(keys.log(session), keys.meta(session)) == 0
    reply = await log.append(attempt, 0, [attempt.started, chunk("a"), chunk("b")])
    assert isinstance(reply, Appended)
    assert (reply.last, reply.stop) == (2, False)
    assert await contents(redis_client, session) == ["started", "a", "b"]
    after = await redis_client.hgetall(keys.meta(session))
    assert after | {"leaseUntilMs": ""} == before | {"leaseUntilMs": ""}
    assert 50 < await redis_client.ttl(keys.log(session)) <= 60


async def test_a_redis_that_lost_the_log_alone_gets_it_again(log: Log, redis_client: Any, session: str) -> None:
    attempt = await begin(log, session)
    await log.append(attempt, 1, [chunk("a")])
    await redis_client.delete(keys.log(session))
    assert await log.append(attempt, 2, [chunk("b")]) == Gap(-1)
    await log.append(attempt, 0, [attempt.started, chunk("a"), chunk("b")])
    assert await contents(redis_client, session) == ["started", "a", "b"]


async def test_another_token_a_later_attempt_and_a_deleted_session_are_fenced(
    log: Log, redis_client: Any, session: str
) -> None:
    attempt = await begin(log, session)
    forged = Attempt(session, 1, 1, attempt.ms, "another", attempt.started, attempt.meta)
    assert await log.append(forged, 1, [chunk("x")]) == Fenced()
    await log.append(attempt, 1, [END], "completed")
    later = await begin(log, session)
    assert later.ms > attempt.ms
    assert await log.append(attempt, 2, [chunk("x")]) == Fenced()
    assert await log.append(attempt, 0, [attempt.started, END]) == Fenced()
    await log.delete(session, "")
    assert await log.append(later, 0, [later.started]) == Fenced()
    assert await redis_client.exists(keys.log(session)) == 0


async def test_the_end_is_written_with_the_last_entry_and_may_be_sent_again(
    log: Log, redis_client: Any, session: str
) -> None:
    attempt = await begin(log, session)
    for _ in range(2):
        assert isinstance(await log.append(attempt, 1, [chunk("a"), END], "completed"), Appended)
    assert isinstance(await log.append(attempt, 3, [], "completed"), Appended)
    assert await contents(redis_client, session) == ["started", "a", "completed"]
    assert await redis_client.hget(keys.meta(session), "status") == "completed"


async def test_a_heartbeat_renews_the_lease_and_writes_no_entry(log: Log, redis_client: Any, session: str) -> None:
    attempt = await begin(log, session)
    await redis_client.expire(keys.log(session), 5)
    before = int(await redis_client.hget(keys.meta(session), "leaseUntilMs")) - 1
    reply = await log.append(attempt, 1, [])
    assert isinstance(reply, Appended)
    assert (reply.last, reply.stop) == (0, False)
    assert int(await redis_client.hget(keys.meta(session), "leaseUntilMs")) > before
    assert await redis_client.ttl(keys.log(session)) > 50


async def test_a_nudge_comes_with_every_new_entry_and_with_nothing_else(log: Log, redis_url: str, session: str) -> None:
    heard: list[bytes] = []
    channels = Channels(connector(redis_url), 5)
    await channels.listen(keys.log(session), heard.append)
    assert heard == [b""]  # the confirmation
    attempt = await begin(log, session)
    await log.append(attempt, 1, [chunk("a")])
    await log.append(attempt, 1, [chunk("a")])
    await log.append(attempt, 2, [])
    await log.append(attempt, 2, [END], "completed")
    await log.delete(session, "")
    fence = asyncio.Event()
    await channels.listen("test-fence", lambda data: fence.set() if data else None)
    wire = Wire(connector(redis_url), 5)
    await wire.call("PUBLISH", "test-fence", "all before has come")
    async with asyncio.timeout(5):
        await fence.wait()
    assert len(heard) == 1 + 4
    await wire.close()
    await channels.close()


async def test_stop_marks_what_runs_wakes_its_producer_and_can_be_asked_twice(
    log: Log, redis_url: str, session: str
) -> None:
    woken: asyncio.Queue[bytes] = asyncio.Queue()
    channels = Channels(connector(redis_url), 5)
    await channels.listen(keys.control("producer0001"), woken.put_nowait)
    assert await log.stop(session, None, "") == ["unknown"]
    attempt = await begin(log, session)
    assert await log.stop(session, 2, "") == ["idle"]
    assert await log.stop(session, 1, "") == ["stopping", "1"]
    assert await log.stop(session, None, "") == ["stopping", "1"]
    async with asyncio.timeout(5):
        while await woken.get() != session.encode():
            pass
    reply = await log.append(attempt, 1, [])
    assert isinstance(reply, Appended)
    assert reply.stop
    await log.append(attempt, 1, [END], "stopped")
    assert await log.stop(session, None, "") == ["idle"]
    await channels.close()


async def test_a_stop_is_forgotten_by_the_next_generation(log: Log, session: str) -> None:
    attempt = await begin(log, session)
    await log.stop(session, None, "")
    await log.append(attempt, 1, [END], "completed")
    following = await begin(log, session)
    reply = await log.append(following, 1, [])
    assert isinstance(reply, Appended)
    assert not reply.stop


async def test_delete_leaves_nothing_but_a_mark_that_fades(log: Log, redis_client: Any, session: str) -> None:
    await log.delete(session, "")
    assert await redis_client.exists(keys.meta(session)) == 0
    attempt = await begin(log, session)
    await log.delete(session, "")
    assert await redis_client.exists(keys.log(session)) == 0
    mark = await redis_client.hgetall(keys.meta(session))
    assert mark == {"status": "deleted", "attemptMs": str(attempt.ms)}
    assert 50 < await redis_client.ttl(keys.meta(session)) <= 60
    assert (await begin(log, session)).ms > attempt.ms


async def claim(log: Log, session: str, policy: str = "restart", seen: Held | None = None) -> list[str]:
    seen = seen or await log.held(session)
    ended = {"chunks": "0", "durationMs": "0", "digest": "d", "ms": "0"}
    failed = ended | {"code": "producer_lost", "error": "lost", "retryable": "true"}
    return await log.claim(seen, nanoid.generate(), policy, seen.told(), failed, ended)


async def lease_ends(client: Any, session: str, ahead_ms: int = -1) -> None:
    """Put the lease's end this far ahead of the server's clock."""
    seconds, micros = await client.time()
    await client.hset(keys.meta(session), "leaseUntilMs", seconds * 1000 + micros // 1000 + ahead_ms)


async def test_a_claim_needs_a_lease_that_is_over_and_still_the_one_seen(
    log: Log, redis_client: Any, session: str
) -> None:
    attempt = await begin(log, session)
    assert await claim(log, session) == ["held"]
    await lease_ends(redis_client, session)
    seen = await log.held(session)
    await log.append(attempt, 1, [])
    assert await claim(log, session, seen=seen) == ["held"]
    await lease_ends(redis_client, session)
    replies = await asyncio.gather(*(claim(log, session) for _ in range(10)))
    assert sorted(reply[0] for reply in replies) == ["claimed"] + ["held"] * 9


async def test_a_claim_that_redis_hears_late_is_void(log: Log, redis_client: Any, session: str) -> None:
    await begin(log, session)
    await lease_ends(redis_client, session)
    seen = await log.held(session)
    late = dataclasses.replace(seen, now_ms=seen.now_ms - CLAIM_HOLDS_MS - 1)
    assert await claim(log, session, seen=late) == ["held"]
    assert (await claim(log, session, seen=seen))[0] == "claimed"


async def test_a_claim_sent_again_with_its_token_tells_what_it_has_done(
    log: Log, redis_client: Any, session: str
) -> None:
    await begin(log, session)
    await lease_ends(redis_client, session)
    seen = await log.held(session)
    ended = {"chunks": "0", "durationMs": "0", "digest": "d", "ms": "0"}
    replies = [await log.claim(seen, "token", "restart", seen.told(), ended, ended) for _ in range(2)]
    assert replies[0] == replies[1]
    assert await contents(redis_client, session) == ["started", "started"]


async def test_a_lease_further_ahead_than_one_lease_is_over(log: Log, redis_client: Any, session: str) -> None:
    await begin(log, session)
    await lease_ends(redis_client, session, int(LEASE_S * 1000) + 60_000)
    assert (await log.held(session)).over(int(LEASE_S * 1000))
    assert (await claim(log, session))[0] == "claimed"


async def test_a_claimed_attempt_begins_anew_and_fences_the_one_before(
    log: Log, redis_client: Any, session: str
) -> None:
    attempt = await begin(log, session)
    await log.append(attempt, 1, [chunk("a")])
    await lease_ends(redis_client, session)
    [_, ms, number] = await claim(log, session)
    assert int(ms) > attempt.ms
    assert number == "2"
    assert await log.append(attempt, 2, [chunk("b")]) == Fenced()
    entries = await redis_client.xrange(keys.log(session))
    assert entries[-1][0] == f"{ms}-0"
    assert (entries[-1][1]["status"], entries[-1][1]["attempt"], entries[-1][1]["generation"]) == ("started", "2", "1")
    meta = await redis_client.hgetall(keys.meta(session))
    assert (meta["attemptMs"], meta["attempt"], meta["losses"], meta["status"]) == (ms, "2", "1", "running")
    assert meta["request"] == attempt.meta["request"]


async def test_a_claimed_attempt_that_redis_lost_is_filled_again_as_it_was(
    log: Log, redis_client: Any, session: str
) -> None:
    await begin(log, session, "key-1")
    await lease_ends(redis_client, session)
    seen = await log.held(session)
    told = seen.told()
    [_, ms, number] = await log.claim(seen, "token", "restart", told, {}, {})
    attempt = seen.taken(int(ms), int(number), "token", log.producer, told)
    before = await redis_client.hgetall(keys.meta(session)), await redis_client.xrange(keys.log(session), f"{ms}-0")
    await redis_client.delete(keys.log(session), keys.meta(session))
    assert isinstance(await log.append(attempt, 0, [attempt.started]), Appended)
    after = await redis_client.hgetall(keys.meta(session)), await redis_client.xrange(keys.log(session))
    assert after[0] | {"leaseUntilMs": ""} == before[0] | {"leaseUntilMs": ""}
    assert after[1] == before[1]


async def test_a_release_is_claimed_at_once_and_is_not_a_loss(log: Log, redis_client: Any, session: str) -> None:
    attempt = await begin(log, session)
    assert isinstance(await log.append(attempt, 1, [chunk("a")], "release"), Appended)
    assert (await log.held(session)).released
    assert (await claim(log, session))[0] == "claimed"
    assert await redis_client.hget(keys.meta(session), "losses") is None


@pytest.mark.parametrize(
    ("policy", "stopped", "status"),
    [("failed", False, "failed"), ("failed", True, "stopped"), ("restart", True, "stopped")],
)
async def test_a_claim_that_ends_a_generation_writes_its_one_terminal_entry(
    log: Log, redis_client: Any, session: str, policy: str, stopped: bool, status: str
) -> None:
    attempt = await begin(log, session)
    if stopped:
        await log.stop(session, None, "")
    await lease_ends(redis_client, session)
    assert await claim(log, session, policy) == ["ended", status]
    assert await claim(log, session, policy) == ["gone"]
    assert await contents(redis_client, session) == ["started", status]
    last_id, fields = (await redis_client.xrevrange(keys.log(session), count=1))[0]
    assert last_id.endswith("-0")
    assert fields.get("code") == ("producer_lost" if status == "failed" else None)
    assert await log.append(attempt, 1, [chunk("b")]) == Fenced()


async def test_a_session_leaves_the_index_only_at_the_score_last_seen(
    log: Log, redis_client: Any, session: str
) -> None:
    score = await log.enter_running(session)
    again = await log.enter_running(session)
    await log.leave_running(session, score)
    assert await redis_client.zscore(keys.RUNNING, session) == pytest.approx(again)
    await log.leave_running(session, again)
    assert await redis_client.zscore(keys.RUNNING, session) is None


async def test_scripts_that_redis_has_forgotten_are_sent_again(log: Log, redis_client: Any, session: str) -> None:
    attempt = await begin(log, session)
    await redis_client.script_flush()
    replies = await asyncio.gather(*(log.append(attempt, 1, [chunk("a")]) for _ in range(20)))
    assert all(isinstance(reply, Appended) for reply in replies)
    assert await contents(redis_client, session) == ["started", "a"]


async def test_content_of_any_kind_comes_back_as_it_went_in(log: Log, redis_client: Any, session: str) -> None:
    texts = ["\x00", "\r\n", "\u2028", "🌊" * 4096, "id: 1-1\n\n", "''\"\\"]
    attempt = await begin(log, session)
    await log.append(attempt, 1, [chunk(text) for text in texts])
    assert (await contents(redis_client, session))[1:] == texts
