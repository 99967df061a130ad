"""What a cluster's nodes say of its slots is weighed: one that knows nothing is passed over, nonsense is survived."""

from typing import Any, cast

import pytest
from redis.asyncio.connection import AbstractConnection

from shared.cluster import Cluster
from tests.processes import until

pytestmark = pytest.mark.anyio

SOON_S = 5.0
WHOLE = [[0, 16383, [b"h2", 2, b"id"]]]
SEVEN = b"redis_version:7.0.15\r\n"


class _Node:
    """A connection to a node that says what the test has written down."""

    def __init__(self, *replies: Any) -> None:
        self._replies = list(replies)

    async def connect(self) -> None: ...

    async def send_command(self, *_: str) -> None: ...

    async def disconnect(self, *, nowait: bool) -> None: ...

    async def read_response(self, *, disable_decoding: bool) -> Any:
        return self._replies.pop(0)


def _cluster(said: dict[str, list[Any]], asked: list[str]) -> Cluster:
    def connect(host: str, _: int) -> AbstractConnection:
        asked.append(host)
        return cast(AbstractConnection, _Node(*said[host]))

    return Cluster([("h1", 1), ("h2", 2)], connect)


async def test_a_node_that_was_taken_out_of_the_cluster_is_passed_over() -> None:
    cluster = _cluster({"h1": [[], SEVEN], "h2": [WHOLE, SEVEN]}, [])
    await cluster.open()
    assert cluster.node("key") == "h2:2"
    await cluster.close()


async def test_a_node_that_says_nonsense_once_does_not_end_the_looking() -> None:
    said: dict[str, list[Any]] = {"h1": [WHOLE, SEVEN], "h2": [WHOLE, SEVEN]}
    asked: list[str] = []
    cluster = _cluster(said, asked)
    await cluster.open()
    asked.clear()
    said["h1"] = said["h2"] = [WHOLE, b"redis_version:\r\n"]
    cluster.doubt()

    async def has_looked() -> bool:
        return bool(asked)

    await until(has_looked, SOON_S)
    said["h2"] = [[[0, 16383, [b"h3", 3, b"id"]]], SEVEN]
    cluster.doubt()

    async def knows_it() -> bool:
        return cluster.node("key") == "h3:3"

    await until(knows_it, SOON_S)
    await cluster.close()
