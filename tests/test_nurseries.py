"""A process from a nursery is as one that the command makes, and a stranger to all others from there."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.leash import Leash
from tests import nurseries
from tests.processes import ROOT, Service, until
from tests.system.own_process import CONSUME, GENERATE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not nurseries.has_one(CONSUME, {}), reason="here all start by the command"),
]

BAD = {"REJOIN_LEASE_S": "soon"}
ORPHANED = """
import time
from pathlib import Path
from deploy.leash import Leash
from tests import nurseries
leash = Leash()
print(nurseries.start(leash, "{CONSUME}", {{"REJOIN_PORT": "0"}}, Path.cwd(), Path("{log}")).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("module", [GENERATE, CONSUME])
async def test_one_that_can_not_start_says_and_ends_what_the_command_would(
    module: str, leash: Leash, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.touch()
    child = await asyncio.to_thread(nurseries.start, leash, module, BAD, ROOT, log)
    code = await asyncio.to_thread(child.wait, 30)
    said = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", module], cwd=ROOT, env=BAD, stderr=subprocess.PIPE, text=True
    )
    assert (code, log.read_text()) == (said.returncode, said.stderr)
    assert code == 1


@pytest.mark.any_redis
async def test_two_of_one_nursery_are_strangers(redis_url: str, redis_client: Any, leash: Leash) -> None:
    before = await names(redis_client)
    one, other = (Service(CONSUME, leash, {"REDIS_URL": redis_url}) for _ in range(2))
    await asyncio.gather(one.start(), other.start())
    assert one.url != other.url
    # Each has drawn a name of its own, although they were one process until then.
    assert len(await names(redis_client) - before) == 2
    await one.kill()
    assert one.process
    assert other.process
    assert (one.process.returncode, other.process.poll()) == (-signal.SIGKILL, None)
    assert await other.stop() == 0
    assert "draining" in other.log
    assert "draining" not in one.log


async def test_they_end_with_an_owner_who_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    script = ORPHANED.format(CONSUME=CONSUME, log=log)
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=ROOT, stdout=subprocess.PIPE)
    assert owner.stdout
    child = psutil.Process(int(await owner.stdout.readline()))
    owner.kill()
    await owner.communicate()

    async def has_ended() -> bool:
        return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    await until(has_ended, 10)


def test_what_python_reads_before_it_loads_anything_needs_the_command() -> None:
    assert nurseries.has_one(CONSUME, {"REDIS_URL": "redis://127.0.0.1", "PYTHONASYNCIODEBUG": "1"})
    assert not nurseries.has_one(CONSUME, {"PYTHONPROFILEIMPORTTIME": "1"})
    assert not nurseries.has_one("deploy.origin", {})


def test_what_the_sdks_read_when_they_are_loaded_their_nursery_has_read(leash: Leash, tmp_path: Path) -> None:
    (log := tmp_path / "log").touch()
    had = []
    for more in ({}, {"OPENAI_LOG": "debug"}):
        child = nurseries.start(leash, CONSUME, {**os.environ, "PYTHONPATH": str(ROOT), **more}, ROOT, log)
        nursery = psutil.Process(child.pid).parent()
        assert nursery
        had.append(nursery.environ().get("OPENAI_LOG"))
        child.kill()
        child.wait(5)
    assert had == [None, "debug"]


async def names(redis_client: Any) -> set[str]:
    """Of all processes of consume-stream that are connected."""
    found = {each["name"] for each in await redis_client.client_list()}
    return {name for name in found if name.startswith("rejoin-consume-")}
