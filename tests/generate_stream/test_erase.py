"""Erasing one generation, on a real Redis: what goes, what stays, and that no writer brings it back."""

from collections.abc import AsyncIterator
from typing import Any

import nanoid
import pytest

from services.generate_stream import erasing
from services.generate_stream.attempt import Ask, Attempt
from services.generate_stream.bodies import StartBody
from services.generate_stream.log import Appended, Fenced, Lease, Log
from shared import keys
from shared.access.shares import Share
from tests.connections import wires

pytestmark = pytest.mark.anyio

SECRET = "a secret"


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[Log]:
    appends, commands = wires(redis_url, user="generate"), wires(redis_url, user="generate")
    yield Log(appends, commands, "producer0001", Lease(5.0, 60))
    await appends.close()
    await commands.close()


async def begun(log: Log, session: str, key: str = "", owner: str = "", **body: Any) -> Attempt:
    request = StartBody.model_validate(body or {"prompt": "Why?"})
    asked = Ask(session, request, "demo", "demo", nanoid.generate(), "producer0001", key, owner=owner)
    told = asked.told()
    reply = await log.start(asked, told, 200)
    assert reply[0] == "started", reply
    return asked.begun(int(reply[1]), int(reply[2]), told)


async def answered(log: Log, session: str, *words: str, **more: Any) -> Attempt:
    """A whole generation, an entry a word."""
    attempt = await begun(log, session, **more)
    of = {"generation": str(attempt.generation), "ms": "1"}
    entries = [{"type": "chunk", "content": word, **of} for word in words]
    end = {"type": "metadata", "status": "completed", **of}
    assert isinstance(await log.append(attempt, 1, [*entries, end], "completed"), Appended)
    return attempt


async def generations(client: Any, session: str) -> list[str]:
    """Whose entries the log has."""
    return sorted({fields["generation"] for _, fields in await client.xrange(keys.log(session))})


async def test_its_words_are_nowhere_and_the_others_stand(log: Log, redis_client: Any, session: str) -> None:
    await answered(log, session, "One.", key="k1", prompt="First")
    messages = [{"role": "user", "content": SECRET}]
    await answered(log, session, SECRET, key="k2", messages=messages, system=SECRET)
    for generation in (1, 2, None):
        share = Share(session, generation, nanoid.generate(), 2**40)
        assert await log.share(share, "", 10) == "shared"
    assert await erasing.erase(log, session, 2, "") == "erased"
    assert await generations(redis_client, session) == ["1"]
    meta = await redis_client.hgetall(keys.meta(session))
    assert SECRET not in str(meta)
    assert [name for name in meta if name.startswith("idempotency:")] == ["idempotency:k1"]
    assert sorted(value.split()[0] for name, value in meta.items() if name.startswith("share:")) == ["1", str(2**40)]
    assert await erasing.erase(log, session, 2, "") == "unknown"
    # Its number stays taken, and its key begins anew.
    assert (await begun(log, session, key="k2")).generation == 3


async def test_its_writer_is_fenced_so_that_it_fills_no_gap(log: Log, redis_client: Any, session: str) -> None:
    await answered(log, session, "One.")
    attempt = await answered(log, session, SECRET)
    assert await erasing.erase(log, session, 2, "") == "erased"
    assert isinstance(await log.append(attempt, 3, []), Fenced)
    assert isinstance(await log.append(attempt, 0, [attempt.started]), Fenced)
    assert await generations(redis_client, session) == ["1"]


async def test_a_long_one_goes_in_steps(log: Log, redis_client: Any, session: str) -> None:
    await answered(log, session, "One.")
    await answered(log, session, *(f"{number} " for number in range(1000)))
    await answered(log, session, "Three.")
    assert await erasing.erase(log, session, 2, "") == "erased"
    assert await generations(redis_client, session) == ["1", "3"]


async def test_the_last_one_takes_the_session_along(log: Log, redis_client: Any, session: str) -> None:
    for _ in range(2):
        attempt = await answered(log, session, SECRET, owner="me")
    for generation in (2, 1):
        assert await erasing.erase(log, session, generation, "me") == "erased"
    assert await redis_client.exists(keys.log(session)) == 0
    meta = await redis_client.hgetall(keys.meta(session))
    assert meta == {"status": "deleted", "attemptMs": str(attempt.ms), "owner": "me"}
    assert 50 < await redis_client.ttl(keys.meta(session)) <= 60
    again = await begun(log, session, owner="me")
    assert (again.generation, again.ms > attempt.ms) == (1, True)


async def test_what_runs_stays_and_an_older_one_goes_from_under_it(log: Log, redis_client: Any, session: str) -> None:
    await answered(log, session, SECRET)
    running = await begun(log, session)
    assert await erasing.erase(log, session, 2, "") == "running"
    assert await erasing.erase(log, session, 1, "") == "erased"
    assert await generations(redis_client, session) == ["2"]
    assert isinstance(await log.append(running, 1, [{"type": "chunk", "generation": "2", "content": "x"}]), Appended)


@pytest.mark.parametrize("owner", ["somebody", "somebody else"])
async def test_only_its_owner_erases(log: Log, redis_client: Any, session: str, owner: str) -> None:
    await answered(log, session, "One.", owner="me" if owner == "somebody" else "")
    before = await redis_client.dump(keys.log(session)), await redis_client.hgetall(keys.meta(session))
    assert await erasing.erase(log, session, 1, owner) == "unknown"
    assert (await redis_client.dump(keys.log(session)), await redis_client.hgetall(keys.meta(session))) == before
