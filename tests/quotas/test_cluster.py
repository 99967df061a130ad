"""Quotas on a Redis Cluster: each subject's lie on one node, wherever its sessions do."""

import asyncio
from collections.abc import AsyncIterator

import nanoid
import pytest

from deploy.leash import Leash
from shared import keys
from tests.consume_stream.raw_viewer import raw
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller
from tests.generate_stream.gate import Gate
from tests.quotas.stock import Stock
from tests.redis_cluster import RedisCluster
from tests.system.pair import Pair

pytestmark = pytest.mark.anyio

RUNNING, VIEWERS = 2, 2
SESSIONS = 8


@pytest.fixture(scope="module")
async def pair(cluster: RedisCluster, upstream: Upstream, leash: Leash) -> AsyncIterator[Pair]:
    """Two producers and a consumer on it."""
    most = {"REJOIN_ADDRESS_STARTS_PER_MINUTE": "100", "REJOIN_ADDRESS_RUNNING_MAX": str(RUNNING)}
    async with Pair(cluster.url, leash, upstream.url, None, **most, REJOIN_VIEWERS_PER_SESSION_MAX="2") as running:
        yield running


async def test_limits_hold_whichever_nodes_the_sessions_are_on(
    cluster: RedisCluster, pair: Pair, upstream: Upstream, session: str
) -> None:
    upstream.prompts[session] = Script(gate=Gate())
    async with cluster.client() as client:
        here = Stock(client, keys.subject("address", "127.0.0.1"))
        both = (pair.generate, pair.other)
        callers = [Caller(both[each % 2], client, str(nanoid.generate())) for each in range(SESSIONS)]
        said = await asyncio.gather(*(caller.ask(prompt=session, provider="openai") for caller in callers))
        assert sorted(one.status_code for one in said) == [202] * RUNNING + [429] * (SESSIONS - RUNNING)
        winners = {caller.session: caller for caller, one in zip(callers, said, strict=True) if one.status_code == 202}
        assert (await here.scores("running")).keys() == winners.keys()
        assert len(await here.scores("starts")) == RUNNING
        for name, caller in winners.items():
            query = {"sessionId": name}
            async with raw(pair.consume, query) as one, raw(pair.consume, query) as two, raw(pair.consume, query) as no:
                assert [each.response.status_code for each in (one, two, no)] == [200, 200, 429]
                assert len(await Stock(client, keys.subject("session", name)).scores("viewers")) == VIEWERS
            await Stock(client, keys.subject("session", name)).are("viewers", 0)
            await caller.stop()
        await here.are("running", 0)
