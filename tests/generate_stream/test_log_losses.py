"""A Redis that comes back without what it said last, while all who wrote that live on."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from services.generate_stream.attempt import Ask, Attempt
from services.generate_stream.bodies import StartBody
from services.generate_stream.log import Appended, Early, Fenced, Gap, Lease, Log
from shared import keys
from shared.access.shares import Share
from tests.connections import wires

pytestmark = pytest.mark.anyio

END = {"type": "metadata", "status": "completed", "generation": "1", "ms": "5"}


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[Log]:
    """The log, with a lease that ends only when a test says so."""
    appends, commands = wires(redis_url, user="generate"), wires(redis_url, user="generate")
    yield Log(appends, commands, "producer0001", Lease(600, 3600))
    await appends.close()
    await commands.close()


@pytest.fixture
async def plain(redis_url: str) -> AsyncIterator[Any]:
    """A client for keys as they are, bytes and all."""
    async with redis.asyncio.Redis.from_url(redis_url, protocol=2) as client:
        yield client


async def test_a_generation_that_has_ended_since_a_takeover_was_lost_is_not_begun_once_more(
    log: Log, plain: Any, session: str
) -> None:
    first = await begin(log, session)
    before = await dumped(plain, session)
    second = await taken(log, plain, session)
    await restored(plain, session, before)
    assert isinstance(await log.append(first, 1, [END], "completed"), Appended)
    assert await log.append(second, 1, []) == Gap(-1)
    assert await log.append(second, 0, [second.started]) == Fenced()
    assert [fields[b"status"] for _, fields in await plain.xrange(keys.log(session))] == [b"started", b"completed"]


async def test_what_is_written_again_after_a_takeover_brings_back_no_link_that_was_revoked(
    log: Log, plain: Any, session: str
) -> None:
    await begin(log, session)
    share = Share(session, None, "leaked", int(time.time()) + 3600)
    assert await log.share(share, "", 100) == "shared"
    second = await taken(log, plain, session)
    assert await log.unshare(session, None, "") == 1
    await plain.delete(keys.log(session), keys.meta(session))
    assert isinstance(await log.append(second, 0, [second.started]), Appended)
    assert await log.shares(session, "") == []


async def test_a_generation_that_is_written_again_has_no_losses_of_the_one_before(
    log: Log, plain: Any, session: str
) -> None:
    await begin(log, session)
    second = await taken(log, plain, session)
    await log.append(second, 1, [END], "completed")
    before = await dumped(plain, session)
    following = await begin(log, session)
    await restored(plain, session, before)
    assert isinstance(await log.append(following, 0, [following.started]), Appended)
    assert ((await log.held(session)).generation, (await log.held(session)).losses) == (2, 0)


@pytest.mark.parametrize("ended", [False, True], ids=["its end", "all of it"])
async def test_the_generation_before_is_written_again_first_when_both_were_lost(
    log: Log, plain: Any, session: str, ended: bool
) -> None:
    first = await begin(log, session)
    before = await dumped(plain, session)
    await log.append(first, 1, [END], "completed")
    second = await begin(log, session)
    if ended:
        await plain.delete(keys.log(session), keys.meta(session))
    else:
        await restored(plain, session, before)
    assert await log.append(second, 0, [second.started]) == Early()
    assert isinstance(await log.append(first, 0, [first.started, END], "completed"), Appended)
    assert isinstance(await log.append(second, 0, [second.started]), Appended)
    said = [(fields[b"status"], fields[b"generation"]) for _, fields in await plain.xrange(keys.log(session))]
    assert said == [(b"started", b"1"), (b"completed", b"1"), (b"started", b"2")]


async def test_a_generation_whose_predecessor_nobody_writes_again_does_not_wait_for_ever(
    log: Log, plain: Any, session: str
) -> None:
    await log.append(await begin(log, session), 1, [END], "completed")
    second = await begin(log, session)
    await plain.delete(keys.log(session), keys.meta(session))
    assert isinstance(await log.append(second, 0, [second.started], insist=True), Appended)
    assert [fields[b"generation"] for _, fields in await plain.xrange(keys.log(session))] == [b"2"]


@pytest.mark.parametrize(("after", "told"), [(None, {}), (2, {}), (1, {b"after": b"1"}), (0, {b"after": b"0"})])
async def test_what_goes_on_from_an_earlier_generation_is_written_again_as_it_was(
    log: Log, plain: Any, session: str, after: int | None, told: dict[bytes, bytes]
) -> None:
    await log.append(await begin(log, session), 1, [END], "completed")
    await log.append(await begin(log, session), 1, [END | {"generation": "2"}], "completed")
    third = await begin(log, session, after=after, continues=1)
    before, meta = await plain.xrange(keys.log(session)), await plain.hgetall(keys.meta(session))
    assert told.items() <= before[-1][1].items()
    assert (b"after" in before[-1][1]) == bool(told)
    assert before[-1][1] == {name.encode(): value.encode() for name, value in third.started.items()}
    assert {**meta, b"leaseUntilMs": b""} == {
        **{name.encode(): value.encode() for name, value in third.meta.items()}, b"leaseUntilMs": b""
    }  # fmt: skip
    again = await taken(log, plain, session)
    assert again.started == {**third.started, "attempt": "2", "startedAt": again.started["startedAt"]}
    assert (await plain.xrange(keys.log(session)))[-1][1] == {
        name.encode(): value.encode() for name, value in again.started.items()
    }


async def begin(log: Log, session: str, after: int | None = None, continues: int | None = None) -> Attempt:
    """Start a generation; one that goes on brings results of tools."""
    asked = {"toolResults": [{"callId": "c", "content": "é"}]} if continues else {"prompt": "Why?"}
    body = StartBody.model_validate(asked)
    ask = Ask(session, body, "demo", "demo", "token", "producer0001", "", after=after, continues=continues)
    told = ask.told()
    _, generation, ms = await log.start(ask, told, 200)
    return ask.begun(int(generation), int(ms), told)


async def taken(log: Log, plain: Any, session: str) -> Attempt:
    """Take over what runs, as from a producer that has been silent."""
    await plain.hset(keys.meta(session), "leaseUntilMs", 1)
    seen = await log.held(session)
    told = seen.told()
    _, ms, number = await log.claim(seen, "another", "restart", told, {}, {})
    return seen.taken(int(ms), int(number), "another", "producer0002", told)


async def dumped(plain: Any, session: str) -> dict[str, bytes]:
    """The session as it stands."""
    return {key: await plain.dump(key) for key in (keys.log(session), keys.meta(session))}


async def restored(plain: Any, session: str, before: dict[str, bytes]) -> None:
    """Redis comes back with what it had then."""
    for key, dump in before.items():
        await plain.restore(key, 3_600_000, dump, replace=True)
