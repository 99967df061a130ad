"""A little of what `make fuzz` does for as long as one likes: always the same shots, and both services stand it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy import redis_server
from deploy.leash import Leash
from tests import redis_users
from tests.edge.answers import Malformed, answers, wrong
from tests.edge.fuzzing import Fuzzing
from tests.edge.shots import shot
from tests.edge.target import Target, standing

pytestmark = pytest.mark.anyio

SEED = 1
SHOTS = 1200
"""15 s on a machine with two cores, half of it for what a viewer leaves behind to be gone."""


@pytest.fixture
async def target(tmp_path: Path, leash: Leash, anyio_backend: str) -> AsyncIterator[Target]:
    """Both services on a Redis of their own."""
    binary, *_ = redis_server.binaries()
    with redis_server.start(binary, tmp_path, *redis_users.arguments(binary)) as server:
        async with standing(server, leash) as target:
            yield target


async def test_whatever_comes_over_a_socket_the_services_stand_it_and_keep_nothing(target: Target) -> None:
    fuzzing = Fuzzing(target, SEED)
    await fuzzing.round(range(SHOTS))
    # Most of it gets past the door: requests that nobody reads would prove little.
    assert fuzzing.shots == SHOTS
    assert {101, 200, 202, 400, 404, 405, 409, 413, 415, 422} <= fuzzing.statuses.keys()
    assert {1002, 1007, 1008, 1009} <= fuzzing.codes.keys()


def test_a_shot_is_the_same_whenever_it_is_drawn() -> None:
    assert [shot(7, number) for number in range(50)] == [shot(7, number) for number in range(50)]
    assert shot(7, 1) != shot(8, 1)


def test_an_answer_that_is_wrong_is_told() -> None:
    good = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n"
    [answer] = answers(good + b'{"error":{"code":"x"}}')
    assert not wrong(answer)
    assert wrong(answer._replace(status=503))
    assert wrong(answer._replace(body=b"Not Found"))
    assert wrong(answer._replace(headers={b"x-forged": b"1"}))
    with pytest.raises(Malformed):
        list(answers(good.replace(b"content-type", b"content type")))
