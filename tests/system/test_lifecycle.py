"""How a generate process ends at a signal: answers finish, or are handed over."""

import asyncio
import signal
import time
from typing import Any

import httpx2
import pytest

from deploy.leash import Leash
from shared import keys
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import until, vendor_settings
from tests.system.own_process import GENERATE, process

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis]


async def test_a_generate_process_that_is_told_to_end_lets_its_answers_finish(
    redis_url: str, redis_client: Any, upstream: Upstream, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(gate=(gate := Gate()))
    async with process(GENERATE, leash, REDIS_URL=redis_url, **vendor_settings(upstream.url)) as service:
        caller = Caller(service, redis_client, session)
        await caller.start(prompt=session)
        await gate.reached_within(5)
        ending = asyncio.create_task(service.stop())

        async def is_draining() -> httpx2.Response | None:
            answer = await caller.get("/readyz")
            return answer if answer.status_code != 200 else None

        not_ready = await until(is_draining, 5)
        assert told(not_ready) == (503, "draining")
        assert not_ready.headers["retry-after"] == "1"
        assert (await caller.get("/healthz")).status_code == 200
        refused = await caller.post("/api/generate-stream", {"prompt": "Hello?"})
        assert (told(refused), refused.headers["retry-after"]) == ((503, "draining"), "1")
        assert not ending.done()
        gate.let_out(100)
        end = await caller.ended()
        assert (end["status"], await caller.text()) == ("completed", "Hello, wörld 🌊!")
        assert await ending == 0
    assert "Traceback" not in service.log


async def test_what_does_not_finish_in_time_is_released_and_whoever_waits_is_told_to_follow_it(
    own_redis: str, own_client: Any, upstream: Upstream, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(gate=(gate := Gate()))
    environ = vendor_settings(upstream.url) | {"REDIS_URL": own_redis, "REJOIN_DRAIN_S": "0.2"}
    async with process(GENERATE, leash, **environ) as service, own_client.pubsub() as others:
        caller = Caller(service, own_client, session)
        await others.subscribe(keys.TAKEOVER)
        waiting = asyncio.create_task(caller.ask(prompt=session, stream=False))
        await gate.reached_within(5)
        gate.let_out(1)
        await caller.has_text("Hel")
        began = time.monotonic()
        assert await service.stop() == 0
        assert time.monotonic() - began < 15
        handed_over = await waiting
        await gate.left_within(5)
        assert (await others.get_message(timeout=5))["type"] == "subscribe"
        assert (await others.get_message(timeout=5))["data"] == session
    assert told(handed_over) == (503, "handed_over")
    assert handed_over.headers["retry-after"] == "1"
    where = {"sessionId": session, "generation": 1, "streamUrl": f"/api/consume-stream?sessionId={session}"}
    assert {name: handed_over.json()[name] for name in where} == where
    meta = await own_client.hgetall(keys.meta(session))
    assert (meta["status"], meta["leaseUntilMs"], await caller.text()) == ("running", "0", "Hel")
    # The index has it still, so that another process finds it.
    assert await own_client.zscore(keys.RUNNING, session)


async def test_a_second_signal_ends_a_process_at_once(
    own_redis: str, own_client: Any, upstream: Upstream, leash: Leash, session: str
) -> None:
    upstream.prompts[session] = Script(gate=(gate := Gate()))
    async with process(GENERATE, leash, REDIS_URL=own_redis, **vendor_settings(upstream.url)) as service:
        caller = Caller(service, own_client, session)
        await caller.start(prompt=session)
        await gate.reached_within(5)
        assert service.process
        service.process.send_signal(signal.SIGINT)

        async def is_draining() -> bool:
            return (await caller.get("/readyz")).status_code == 503

        await until(is_draining, 5)
        service.process.send_signal(signal.SIGTERM)
        # Half of what it would wait for its answer.
        await service.ended(15)
