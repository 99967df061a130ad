"""The private Redis: real, alone on its socket, and gone with whoever started it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import redis

from deploy import redis_server
from deploy.redis_server import Binary, RedisFailed
from tests.deploy.local_run import ROOT, until

BINARIES = redis_server.binaries()


@pytest.fixture(params=BINARIES, ids=[f"{each.kind}-{each.version}" for each in BINARIES])
def binary(request: pytest.FixtureRequest) -> Binary:
    chosen: Binary = request.param
    return chosen


@contextlib.contextmanager
def client_of(server: redis_server.RedisServer) -> Iterator["redis.Redis"]:
    with closing(redis.Redis.from_url(server.url, decode_responses=True)) as client:
        yield client


def test_the_embedded_one_is_there_and_is_old() -> None:
    assert any(each.version.startswith("6.2.") for each in BINARIES)


def test_it_keeps_everything_and_evicts_nothing(binary: Binary, tmp_path: Path) -> None:
    with redis_server.start(binary, tmp_path) as server, client_of(server) as client:
        assert client.info("server")["redis_version"] == server.version
        settings = client.config_get("*")
    wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
    assert wanted.items() <= settings.items()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_it_was_told_is_there_after_it_ends_by(binary: Binary, tmp_path: Path, end: str) -> None:
    server = redis_server.start(binary, tmp_path)
    with client_of(server) as client:
        client.set("a", "b")
    getattr(server, end)()
    assert server.process.returncode is not None
    with redis_server.start(binary, tmp_path) as again, client_of(again) as client:
        assert client.get("a") == "b"


def test_a_long_path_is_no_obstacle(binary: Binary, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    with redis_server.start(binary, deep) as server, client_of(server) as client:
        assert client.ping()
        assert list(deep.glob("*appendonly*"))


def test_further_arguments_reach_it(binary: Binary, tmp_path: Path) -> None:
    with redis_server.start(binary, tmp_path, "--maxmemory", "8mb") as server, client_of(server) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(8 * 1024 * 1024)}


def test_it_goes_when_the_process_that_started_it_is_killed(binary: Binary, tmp_path: Path) -> None:
    program = f"""
import pathlib, sys
from deploy import redis_server
binary = next(each for each in redis_server.binaries() if each.version == {binary.version!r})
server = redis_server.start(binary, pathlib.Path(sys.argv[1]))
print(server.process.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        owner.kill()
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", 5, "the end of Redis")


def test_why_it_did_not_start_is_one_line(binary: Binary, tmp_path: Path) -> None:
    (tmp_path / "redis.sock").mkdir()
    with pytest.raises(RedisFailed, match=r"did not start: .*") as raised:
        redis_server.start(binary, tmp_path)
    assert "\n" not in str(raised.value)
