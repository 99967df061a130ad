"""A Redis Cluster, well: sessions on every node, nudges without rechecks, O(1) connections to each node."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.processes import until
from tests.redis_cluster import MASTERS, Move, RedisCluster
from tests.system.attempts import attempts
from tests.system.pair import Pair
from tests.system.watched import Watched
from tests.viewing import Viewer

pytestmark = pytest.mark.anyio

NEVER_S = "600"
"""Between two rechecks: whatever comes, comes by a nudge."""

SOON_S = 20.0
LEASE_S = 5.0
"""Nobody is lost while a slot is on its way, and on a busy machine that may take seconds."""

TAKEN_S = LEASE_S + 15.0
CONNECTIONS_MAX = 3
"""Of one process to one node: two wires, and one for channels."""


@pytest.fixture(scope="module")
async def client(cluster: RedisCluster) -> AsyncIterator[Any]:
    """What is in it."""
    async with cluster.client() as own:
        yield own


@pytest.fixture(scope="module")
async def pair(cluster: RedisCluster, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """Two producers and a consumer on it."""
    async with Pair(cluster.url, leash, upstream.url, REJOIN_RECHECK_S=NEVER_S, REJOIN_LEASE_S=str(LEASE_S)) as running:
        yield running


@pytest.fixture
async def sessions(cluster: RedisCluster) -> list[str]:
    """One on each node."""
    found: dict[int, str] = {}
    while len(found) < MASTERS:
        session = str(nanoid.generate())
        found[(await cluster.master(keys.log(session))).port] = session
    return [*found.values()]


async def test_sessions_of_every_node_are_followed_by_nudges_alone(
    cluster: RedisCluster, client: Any, pair: Pair, upstream: Upstream, sessions: list[str]
) -> None:
    for session in sessions:
        async with Watched(pair, upstream, session, tuple(f"{number} " for number in range(20))) as watched:
            watched.watch()
            for _ in range(4):
                watched.say(4)
                await watched.shown(SOON_S)
            assert await _most_connections(cluster) <= CONNECTIONS_MAX
            await watched.holds(client)


async def test_a_viewer_who_waits_hears_of_a_slot_that_has_moved_by_nudges_alone(
    cluster: RedisCluster, client: Any, pair: Pair, upstream: Upstream, session: str
) -> None:
    async with Watched(pair, upstream, session) as watched:
        watched.watch()
        watched.say(100)
        await watched.shown(SOON_S)
        move = Move(cluster, keys.log(session))
        await move.begin()
        await move.keys()
        await move.end()
        for _ in range(3):
            watched.say(100)
            await watched.shown(SOON_S)
        await watched.holds(client)


async def test_a_stop_and_a_delete_reach_their_session_wherever_it_lies(
    pair: Pair, client: Any, upstream: Upstream, sessions: list[str]
) -> None:
    for session in sessions:
        async with Watched(pair, upstream, session) as watched:
            viewer = watched.watch()
            watched.say(5)
            await watched.shown(SOON_S)
            caller = Caller(pair.other, client, session)
            assert (await caller.stop()).status_code == 202

            async def is_told(viewer: Viewer = viewer) -> bool:
                return viewer.view.answers[1].status == "stopped"

            await until(is_told, SOON_S)
            assert (await caller.delete()).status_code == 204
            assert not await client.exists(keys.log(session))


async def test_a_dead_producers_answers_are_taken_over_on_every_node(
    pair: Pair, client: Any, upstream: Upstream, sessions: list[str]
) -> None:
    stories = [Watched(pair, upstream, session, ("One ", "two.")) for session in sessions]
    for story in stories:
        await story.__aenter__()
    await pair.generate.kill()
    for story in stories:

        async def is_taken(story: Watched = story) -> bool:
            return await attempts(client, story.session) == ["1", "2"]

        await until(is_taken, TAKEN_S)
        await story.holds(client)
        await story.__aexit__(None, None, None)
    await pair.mend()


async def _most_connections(cluster: RedisCluster) -> int:
    """Of one process to one node."""
    lists = [str(await node.call("CLIENT", "LIST")).splitlines() for node in cluster.nodes]
    counts = [count for rows in lists for count in Counter(map(_process, rows)).items()]
    return max(count for process, count in counts if process.startswith("name=rejoin-"))


def _process(row: str) -> str:
    """What a connection calls itself: it names its process."""
    return next(word for word in row.split() if word.startswith("name="))
