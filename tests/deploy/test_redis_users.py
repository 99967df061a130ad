"""Redis by its own start script: each service may do what it does and nothing else, and nobody else comes in."""

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis.asyncio
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from deploy.leash import Leash
from deploy.redis_binary import Binary, binaries
from services.consume_stream import rights as consume_rights
from services.generate_stream import rights as generate_rights
from shared.redis_facts import Command
from tests.deploy.redis_commands import LISTENING, LOG, META, REFUSED, SESSION, TO_CONNECT
from tests.processes import until
from tests.redis_users import FOLDER, PASSWORDS

pytestmark = pytest.mark.anyio

RIGHTS = {"generate": generate_rights.probes(SESSION), "consume": consume_rights.probes(SESSION)}
STARTS_S = 20.0
ADMINISTRATOR = "the administrator's"

SERVERS = binaries()
each_user = pytest.mark.parametrize("user", [*PASSWORDS])


class Started:
    """A Redis that the script has started, and the ways into it."""

    def __init__(self, binary: Binary, directory: Path, leash: Leash) -> None:
        secret = directory / "secret"
        secret.write_text(PASSWORDS["consume"] + "\n")
        own = {
            "REDIS_SERVER": str(binary.path), "REJOIN_RUN_DIR": str(directory / "run"),
            "REDIS_GENERATE_PASSWORD": PASSWORDS["generate"], "REDIS_CONSUME_PASSWORD_FILE": str(secret),
            "REDIS_ADMIN_PASSWORD": ADMINISTRATOR,
        }  # fmt: skip
        self.sharded = int(binary.version.partition(".")[0]) >= 7
        self._socket = directory / "redis.sock"
        arguments = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(directory), "--save", ""]
        command = ["/bin/sh", str(FOLDER / "start.sh"), *arguments, "--logfile", str(directory / "log")]
        self.process = leash.spawn(command, env=os.environ | own)

    def client(self, user: str, password: str) -> Any:
        """One connection; without a user, of nobody."""
        who = f"{user}:{quote(password)}@" if user else ""
        return redis.asyncio.Redis.from_url(f"unix://{who}{quote(str(self._socket))}", protocol=2, driver_info=None)

    async def answers(self) -> bool:
        """Whether it is up."""
        try:
            async with self.client("default", ADMINISTRATOR) as client:
                return bool(await client.ping())
        except RedisError:
            return False


@pytest.fixture(scope="module", params=SERVERS, ids=[f"{each.kind}-{each.version}".lower() for each in SERVERS])
async def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, leash: Leash, anyio_backend: str
) -> AsyncIterator[Started]:
    running = Started(request.param, tmp_path_factory.mktemp("users"), leash)
    await until(running.answers, STARTS_S)
    yield running
    running.process.kill()
    running.process.wait()


async def answer(client: Any, command: Command) -> Any:
    """The reply, or the refusal in its stead; on a connection that listens to nothing."""
    try:
        async with client.client() as one:
            reply = await one.execute_command(*command)
            await one.connection.disconnect(nowait=True)
            return reply
    except ResponseError as refusal:
        return refusal


@each_user
async def test_a_service_may_do_all_that_it_does(started: Started, user: str) -> None:
    known = [each for each in LISTENING[user] if started.sharded or not str(each[0]).startswith("S")]
    async with started.client(user, PASSWORDS[user]) as client:
        for command in [*TO_CONNECT, *RIGHTS[user], *known]:
            assert not isinstance(await answer(client, command), NoPermissionError), command


@each_user
async def test_and_nothing_else(started: Started, user: str) -> None:
    async with started.client("default", ADMINISTRATOR) as administrator:
        await administrator.xadd(LOG, {"type": "started"})
        await administrator.hset(META, "owner", "somebody")
        before = [await administrator.dump(key) for key in (LOG, META)]
        async with started.client(user, PASSWORDS[user]) as client:
            for command in REFUSED[user]:
                assert is_forbidden(await answer(client, command)), command
        assert [await administrator.dump(key) for key in (LOG, META)] == before
        await administrator.delete(LOG, META)


@each_user
def test_no_right_is_given_that_is_not_used(user: str) -> None:
    [rules] = [line.split()[2:] for line in (FOLDER / "users.acl").read_text().splitlines() if line.split()[1] == user]
    given = [rule.removeprefix("+") for rule in rules if rule.startswith("+")]
    used = {words(command) for command in [*TO_CONNECT, *RIGHTS[user], *LISTENING[user]]}
    assert sorted(given) == sorted(used)
    assert rules[:3] == ["on", "resetchannels", "-@all"]


async def test_nobody_comes_in_without_a_name_and_its_password(started: Started) -> None:
    for user, password in (("", ""), ("default", ""), ("generate", PASSWORDS["consume"]), ("consume", "")):
        async with started.client(user, password) as client:
            with pytest.raises(RedisError, match=r"username-password|Authentication required"):
                await client.ping()


def test_the_server_is_not_told_the_passwords_themselves(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.write_text('#!/bin/sh\n[ "$1" != --version ] || exec echo Redis server v=7.0.15\nenv; echo "$@"\n')
    server.chmod(0o700)
    said = {f"REDIS_{user.upper()}_PASSWORD": f"the word of {user}" for user in (*PASSWORDS, "admin")}
    environ = {"PATH": os.environ["PATH"], "REJOIN_RUN_DIR": str(tmp_path), "REDIS_SERVER": str(server)} | said
    command = ["/bin/sh", str(FOLDER / "start.sh"), "--port", "1"]
    told = subprocess.check_output(command, env=environ, text=True)
    assert f"--port 1 --aclfile {tmp_path}/users.acl" in told
    assert "the word of" not in told + (tmp_path / "users.acl").read_text()
    assert (tmp_path / "users.acl").stat().st_mode & 0o077 == 0


def test_without_a_password_it_does_not_start_and_says_which(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "REJOIN_RUN_DIR": str(tmp_path), "REDIS_SERVER": str(SERVERS[0].path)}
    environ["REDIS_GENERATE_PASSWORD"] = "one of two"
    done = subprocess.run(["/bin/sh", FOLDER / "start.sh"], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr == "users.sh: REDIS_CONSUME_PASSWORD or REDIS_CONSUME_PASSWORD_FILE must be set\n"


def test_without_one_for_the_administrator_there_is_none() -> None:
    environ = {"PATH": os.environ["PATH"], "REDIS_GENERATE_PASSWORD": "one", "REDIS_CONSUME_PASSWORD": "another"}
    said = subprocess.check_output(["/bin/sh", FOLDER / "users.sh", "7.0"], env=environ, text=True)
    assert [line.split()[1:3] for line in said.splitlines()] == [
        ["default", "off"],
        ["generate", "on"],
        ["consume", "on"],
    ]


def is_forbidden(reply: Any) -> bool:
    """Whether Redis said NOPERM, or so in the longer words that it has for a script."""
    of_script = isinstance(reply, ResponseError) and "The user executing the script can't" in str(reply)
    return isinstance(reply, NoPermissionError) or of_script


def words(command: Command) -> str:
    """As a rule names a command: with its subcommand, where only that is allowed."""
    name = str(command[0]).lower()
    return f"{name}|{str(command[1]).lower()}" if name in ("acl", "client", "cluster", "xgroup", "xinfo") else name
