"""Where the index of running generations is on a node that is away, none begins that nobody would take over."""

from typing import Any, cast

import pytest

from services.generate_stream.attempt import Ask
from services.generate_stream.bodies import StartBody
from services.generate_stream.producer import Producer
from services.generate_stream.starting import _begun
from shared.wire import RedisAway

pytestmark = pytest.mark.anyio


class _Log:
    """A log whose index is out of reach."""

    def __init__(self) -> None:
        self.begun = 0

    def beside_index(self, _: str) -> bool:
        return False

    async def enter_running(self, _: str) -> float:
        raise RedisAway("the index is away")

    async def start(self, *_: Any) -> list[str]:
        self.begun += 1
        return ["started", "1", "1"]


class _Producer:
    def __init__(self) -> None:
        self.log = _Log()


async def test_none_begins_that_is_not_in_the_index() -> None:
    producer = _Producer()
    ask = Ask("somebody", StartBody(prompt="Hello"), "demo", "demo", "token", "me", "")
    with pytest.raises(RedisAway):
        await _begun(cast(Producer, producer), ask, {}, 200)
    assert producer.log.begun == 0
