"""The local run serves, and whatever ends it leaves nothing behind."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy import redis_server
from tests.deploy.local_run import LocalRun, until

pytestmark = pytest.mark.usefixtures("page")

LITTLE_S = 10.0
"""What a busy machine may add to any end."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    with LocalRun(tmp_path_factory.mktemp("run")) as run:
        yield run.ready()


def ask(client: httpx2.Client, session: str, prompt: str) -> None:
    answer = client.post("/api/generate-stream", json={"sessionId": session, "prompt": prompt})
    assert answer.status_code == 202, answer.text


def newest(client: httpx2.Client, session: str) -> dict[str, Any]:
    page: dict[str, Any] = client.get(f"/api/sessions/{session}").json()
    newest: dict[str, Any] = page["generations"][0]
    return newest


def test_one_address_serves_the_page_and_both_services(run: LocalRun) -> None:
    with run.client() as client:
        page = client.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert client.get("/api/models").json()["default"] == {"provider": "demo", "model": "demo"}
        assert client.get("/api/sessions/nobody-has-this").json()["error"]["code"] == "session_not_found"


def test_the_first_answer_needs_no_key_and_no_network(run: LocalRun) -> None:
    with run.client() as client:
        ask(client, "first-answer", "Who are you?")
        with client.stream("GET", "/api/consume-stream", params={"sessionId": "first-answer"}) as response:
            events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
    assert events[-1]["status"] == "completed"
    assert "".join(event["content"] for event in events if event["type"] == "chunk")


def test_each_service_is_a_process_of_its_own(run: LocalRun) -> None:
    ports = {run.port: "deploy.origin", run.generate_port: "generate_stream", run.consume_port: "consume_stream"}
    for port, name in ports.items():
        assert [each.laddr.port for each in run.child(name).net_connections() if each.status == "LISTEN"] == [port]


def test_a_second_run_on_the_same_data_says_so_in_one_line(run: LocalRun) -> None:
    with LocalRun(run.output.parent) as second:
        assert second.exit_code() == 1
        [line] = second.complaints
    assert f"another run (process {run.process.pid})" in line


def test_sessions_survive_a_restart_after_ctrl_c_and_sigterm_also_when_it_comes_twice(tmp_path: Path) -> None:
    with LocalRun(tmp_path) as first, first.ready().client() as client:
        ask(client, "long-lived", "Will you be here tomorrow?")
        until(lambda: newest(client, "long-lived")["status"] == "completed", 20, "the end of the answer")
        before = newest(client, "long-lived")
        assert first.interrupt() == 0
        first.no_one_is_left(within_s=LITTLE_S)
    with LocalRun(tmp_path) as second:
        with second.ready().client() as client:
            assert newest(client, "long-lived") == before
        second.process.terminate()
        until(lambda: "Stopping" in second.text, LITTLE_S, "the word that it stops")
        second.process.terminate()
        assert second.process.wait(20) == 0
        second.no_one_is_left(within_s=LITTLE_S)
        assert "Traceback" not in first.text + second.text
    [log] = tmp_path.glob("*/redis.log")
    assert log.read_text().count("ready to exit") == 2


def test_a_second_ctrl_c_waits_for_nobody(tmp_path: Path) -> None:
    with LocalRun(tmp_path, {"REJOIN_DRAIN_S": "60"}) as run:
        run.ready().child("generate_stream").suspend()
        run.process.send_signal(signal.SIGINT)
        until(lambda: "Stopping" in run.text, LITTLE_S, "the word that it stops")
        # Which does not wait for as long as a drain.
        run.interrupt()
        run.no_one_is_left(within_s=LITTLE_S)


@pytest.mark.parametrize("through_a_shell", [False, True], ids=["the supervisor", "its parent, as make is"])
def test_nothing_survives_a_kill_of(tmp_path: Path, through_a_shell: bool) -> None:
    with LocalRun(tmp_path, through_a_shell=through_a_shell) as run:
        run.ready().process.kill()
        run.no_one_is_left(within_s=LITTLE_S)


# Of the services any one stands for all: they are watched as one list.
@pytest.mark.parametrize("name", ["consume_stream", "redis-server", "leash.py"])
def test_the_death_of_one_process_ends_the_run_by_its_name(tmp_path: Path, name: str) -> None:
    with LocalRun(tmp_path) as run:
        run.ready().child(name).kill()
        assert run.exit_code() == 1
        run.no_one_is_left(within_s=LITTLE_S)
        words = {"redis-server": "Redis", "leash.py": "watcher"}
        assert any(words.get(name, "consume-stream") in line and "killed" in line for line in run.complaints)


@pytest.mark.parametrize("setting", ["REJOIN_PORT", "REJOIN_GENERATE_PORT", "REJOIN_CONSUME_PORT"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with LocalRun(tmp_path, {setting: port}) as run:
            assert run.exit_code() == 1
            [line] = run.complaints
    assert f"127.0.0.1:{port}: Address already in use" in line
    assert setting in line


# All but REJOIN_PING_S the run reads itself; that one is of the service which is not the first to be waited for.
@pytest.mark.parametrize("setting", ["REJOIN_PORT", "REJOIN_LEASE_S", "REJOIN_PING_S", "REDIS_URL"])
def test_a_bad_setting_is_one_clear_line(tmp_path: Path, setting: str) -> None:
    with LocalRun(tmp_path, {setting: "lots"}) as run:
        run.exit_code()
        [line] = run.complaints
        assert run.process.returncode == 1
    assert setting in line
    assert "it takes" in line


def test_a_redis_that_does_not_answer_is_one_clear_line_without_its_password(tmp_path: Path) -> None:
    with LocalRun(tmp_path, {"REDIS_URL": "redis://someone:secret-word@127.0.0.1:1/0"}) as run:
        assert run.exit_code() == 1
        [line] = run.complaints
    assert "redis://127.0.0.1:1/0" in line
    assert "secret-word" not in line


def test_with_redis_url_that_redis_is_used_and_no_other_started(tmp_path: Path) -> None:
    server = redis_server.start(redis_server.binaries()[0], tmp_path / "given")
    with server, LocalRun(tmp_path / "run", {"REDIS_URL": server.url}) as run, run.ready().client() as client:
        assert not [each for each in run.family if "redis-server" in each.name()]
        ask(client, "given-redis", "Where are you kept?")
        assert server.process.poll() is None
        assert newest(client, "given-redis")["prompt"] == "Where are you kept?"
        assert run.interrupt() == 0
        assert server.process.poll() is None


def test_the_embedded_redis_serves_where_the_machine_has_none(tmp_path: Path) -> None:
    with LocalRun(tmp_path, {"PATH": str(tmp_path)}) as run:
        run.ready()
        assert "Redis      6.2." in run.text
        assert (tmp_path / "6").is_dir()
