"""How the processes end: in good order at a signal, with one clear line when they can't begin."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from deploy.leash import Leash
from shared import keys
from tests.consume_stream.outside_writer import OutsideWriter
from tests.fakes.script import Script
from tests.fakes.upstream import Upstream
from tests.generate_stream.caller import Caller, told
from tests.generate_stream.gate import Gate
from tests.processes import ROOT, Service, until, vendor_settings
from tests.viewing import Cut, Viewer

pytestmark = pytest.mark.anyio

GENERATE, CONSUME = "services.generate_stream", "services.consume_stream"


@asynccontextmanager
async def process(module: str, leash: Leash, **environ: str) -> AsyncIterator[Service]:
    """A process of its own for one test."""
    service = await Service(module, leash, environ).start()
    try:
        yield service
    finally:
        assert service.process
        if service.process.poll() is None:
            await service.kill()


async def test_a_consume_process_that_is_told_to_end_cuts_its_viewers_and_leaves_no_group(
    redis_url: str, redis_client: Any, leash: Leash, session: str
) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    async with process(CONSUME, leash, REDIS_URL=redis_url) as service:
        viewers = [Viewer(service.url, session, follow) for follow in ("answer", "session") for _ in range(5)]

        async def is_cut(viewer: Viewer) -> None:
            with pytest.raises(Cut):
                await viewer.connect()

        async with asyncio.TaskGroup() as watching:
            for viewer in viewers:
                watching.create_task(is_cut(viewer))

            async def all_watch() -> bool:
                return all(viewer.frames for viewer in viewers)

            await until(all_watch, 10)
            groups = await redis_client.xinfo_groups(keys.log(session))
            began = time.monotonic()
            assert await service.stop() == 0
        assert time.monotonic() - began < 3
    assert len(groups) == 10
    assert await redis_client.xinfo_groups(keys.log(session)) == []
    assert not await redis_client.exists(keys.consumer(str(keys.instance_of(groups[0]["name"]))))
    assert "Traceback" not in service.log


async def test_a_viewer_that_was_cut_goes_on_at_another_process(
    redis_url: str, redis_client: Any, leash: Leash, session: str
) -> None:
    writer = OutsideWriter(redis_client, session)
    await writer.begin()
    await writer.say("One, ")
    async with process(CONSUME, leash, REDIS_URL=redis_url) as other:
        async with process(CONSUME, leash, REDIS_URL=redis_url) as first:
            viewer = Viewer(first.url, session)
            await viewer.connect(until=lambda frame: frame.id == writer.ids[-1])
            watching = asyncio.create_task(viewer.connect())
            await writer.say("two, ")

            async def has_two() -> bool:
                return viewer.text == "One, two, "

            await until(has_two, 10)
            assert await first.stop() == 0
            with pytest.raises(Cut):
                await watching
        await writer.say("three.")
        await writer.end()
        moved = Viewer(other.url, session)
        moved.view, moved.last_id = viewer.view, viewer.last_id
        await moved.connect()
    assert moved.text == "One, two, three."
    assert [frame.id for frame in viewer.frames + moved.frames] == writer.ids


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
        assert time.monotonic() - began < 5
        handed_over = await waiting
        await gate.left_within(1)
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
        await service.ended(5)


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
def test_a_bad_setting_is_one_clear_line(module: str) -> None:
    code, said = end_of(module, REJOIN_LEASE_S="soon")
    assert code == 1
    assert said == "REJOIN_LEASE_S 'soon' can't be used: it takes seconds from 0.1 to 3600\n"


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
def test_a_port_in_use_is_one_clear_line(module: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = end_of(module, REJOIN_PORT=str(port))
    assert code == 1
    assert said == f"can't listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_bad_address_of_redis_is_not_repeated_since_it_may_hold_a_password() -> None:
    code, said = end_of(CONSUME, REDIS_URL="http://:secret@example.com")
    assert code == 1
    assert said.startswith("REDIS_URL can't be used: it takes redis://")
    assert "secret" not in said


def end_of(module: str, **environ: str) -> tuple[int, str]:
    """Start a process that must end by itself; returns its exit code and all that it said."""
    said = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, env=environ, timeout=30, stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return said.returncode, said.stdout
