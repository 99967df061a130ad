"""Nudges of a cluster: a node that refuses a channel is told of, one that has gone is called no more."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection

from services.consume_stream.nudges import Nudges
from shared.wire import RedisAway
from tests.processes import until
from tests.redis_users import as_user

pytestmark = pytest.mark.anyio

TIMEOUT_S = 0.2
RECHECK_S = 600.0
SOON_S = 5.0


class _Map:
    """A cluster's map, which the test changes; its nodes are all one Redis, or nowhere."""

    publish = "PUBLISH"

    def __init__(self, url: str) -> None:
        self.master = "here"
        self.doubts = 0
        self.asked: list[str] = []
        self._pool = ConnectionPool.from_url(as_user(url, "consume"), protocol=2, socket_timeout=None, driver_info=None)
        self._nowhere = ConnectionPool(host="127.0.0.1", port=1, protocol=2)
        self._change = asyncio.Event()

    def node(self, _: str) -> str:
        return self.master

    def nodes(self) -> tuple[str, ...]:
        return (self.master,)

    def connect(self, node: str) -> AbstractConnection:
        self.asked.append(node)
        made: AbstractConnection = (self._nowhere if node == "away" else self._pool).make_connection()
        return made

    def moved(self, slot: int, node: str) -> None: ...

    def doubt(self) -> None:
        self.doubts += 1

    def change(self, master: str) -> None:
        self.master = master
        self._change.set()
        self._change = asyncio.Event()

    async def changed(self) -> None:
        await self._change.wait()

    async def open(self) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
def map_(redis_url: str) -> _Map:
    return _Map(redis_url)


@pytest.fixture
async def nudges(map_: _Map) -> AsyncIterator[Nudges]:
    made = Nudges(map_, TIMEOUT_S, RECHECK_S)
    yield made
    await made.close()


def _wake(_: bytes) -> None: ...


async def test_a_log_that_cannot_be_listened_to_has_the_map_looked_at(nudges: Nudges, map_: _Map, session: str) -> None:
    map_.master = "away"
    with pytest.raises(RedisAway):
        await nudges.listen(session, _wake)
    assert map_.doubts == 1


@pytest.mark.parametrize("first", ["here", "away"])
async def test_a_node_that_has_gone_is_called_no_more(nudges: Nudges, map_: _Map, session: str, first: str) -> None:
    map_.master = first
    if first == "away":
        with pytest.raises(RedisAway):
            await nudges.listen(session, _wake)
    else:
        await nudges.listen(session, _wake)
        nudges.unlisten(session, _wake)
    map_.change("another")

    async def is_left() -> bool:
        return not nudges._channels

    await until(is_left, SOON_S)
