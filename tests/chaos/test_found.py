"""What chaos has found, each as the smallest story that shows it."""

from typing import Any

import nanoid
import pytest

from services.generate_stream.attempt import Ask, Attempt, Fields
from services.generate_stream.bodies import StartBody
from services.generate_stream.log import Lease, Log
from shared import keys
from shared.events import is_terminal
from shared.wire import RedisAway
from tests.connections import wires

pytestmark = pytest.mark.anyio


async def begun(log: Log, session: str) -> Attempt:
    """A generation that must start."""
    body = StartBody.model_validate({"prompt": "Why?"})
    ask = Ask(session, body, "demo", "demo", nanoid.generate(), "producer0001", "")
    told = ask.told()
    reply = await log.start(ask, told, 200)
    assert reply[0] == "started", reply
    return ask.begun(int(reply[1]), int(reply[2]), told)


def end(generation: int) -> Fields:
    """The entry that ends a generation."""
    return {"type": "metadata", "status": "completed", "generation": str(generation), "ms": "1"}


async def written_again(log: Log, attempt: Attempt) -> None:
    """What its writer does when Redis has lost it; one that can't go on now tries again later, as any writer does."""
    try:
        await log.append(attempt, 0, [attempt.started, end(attempt.generation)], "completed")
    except RedisAway:
        return


async def test_two_answers_that_redis_lost_in_one_second_both_get_their_end_again(
    redis_url: str, redis_client: Any, session: str
) -> None:
    """Seed 18: whichever of their writers comes first."""
    appends, commands = wires(redis_url, user="generate"), wires(redis_url, user="generate")
    log = Log(appends, commands, "producer0001", Lease(5, 60))
    first = await begun(log, session)
    kept = [(key, await _dump(redis_client, key)) for key in (keys.log(session), keys.meta(session))]
    await log.append(first, 1, [end(1)], "completed")
    second = await begun(log, session)
    await log.append(second, 1, [end(2)], "completed")
    for key, dump in kept:
        await redis_client.execute_command("RESTORE", key, 60_000, dump, "REPLACE")
    for attempt in (second, first, second):
        await written_again(log, attempt)
    ends = [fields["generation"] for _, fields in await redis_client.xrange(keys.log(session)) if is_terminal(fields)]
    await appends.close()
    await commands.close()
    assert ends == ["1", "2"]


async def _dump(client: Any, key: str) -> bytes:
    dump: bytes = await client.execute_command("DUMP", key, NEVER_DECODE=True)
    return dump
