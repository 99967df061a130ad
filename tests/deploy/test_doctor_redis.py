"""The doctor names what is wrong with a Redis, each with the line that mends it: real servers, really set so."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis.asyncio
import redis.exceptions

from deploy import redis_server
from deploy.leash import Leash
from deploy.redis_binary import Binary
from services.consume_stream import rights as consume_rights
from services.generate_stream import rights as generate_rights
from shared.findings import Finding
from shared.redis_facts import RedisFacts, look
from shared.redis_verdicts import findings
from tests import redis_users
from tests.connections import connector
from tests.deploy.examined import examined, lines, not_well
from tests.ports import free_port
from tests.processes import ROOT, Services
from tests.system.own_process import CONSUME, process

pytestmark = [pytest.mark.anyio]

SESSION = "doctor-probe"
PROBES = [*generate_rights.probes(SESSION), *consume_rights.probes(SESSION)]
SERVERS = redis_server.binaries()
LOOKS_IN_A_SLOW_WHILE = 3
"""Of twenty that ask at once; each look holds for 2 s."""

RULES = "~llm:* ~{llm:stream:*}:meta resetchannels &llm:*"


@pytest.fixture(scope="module", params=SERVERS, ids=[f"{each.kind}-{each.version}".lower() for each in SERVERS])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of each version that a test may set as it likes, if it sets it back."""
    users = redis_users.arguments(request.param)
    with redis_server.start(request.param, tmp_path_factory.mktemp("doctor"), *users) as running:
        yield running.url


@pytest.fixture
async def client(server: str, anyio_backend: str) -> AsyncIterator[Any]:
    async with redis.asyncio.Redis.from_url(server, protocol=2, decode_responses=True) as one:
        yield one


async def seen(url: str, *, user: str = "") -> dict[str, Finding]:
    if user:
        url = f"{url}?username={user}&password=secret"
    return by_check(await look(connector(url, "doctor"), PROBES[:-1], 5))


def by_check(facts: RedisFacts) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings(facts, clustered=False)}


async def with_user(client: Any, *rules: str) -> None:
    await client.execute_command("ACL", "SETUSER", "rejoin", "reset", "on", ">secret", *rules)


async def test_a_redis_as_the_local_run_has_it_is_well_and_nothing_is_left_in_it(server: str, client: Any) -> None:
    found = await seen(server)
    assert not_well(found) == {}
    assert {finding.state for finding in found.values()} == {"ok"}
    assert await client.dbsize() == 0


async def test_no_probe_changes_anything_even_by_itself(server: str, client: Any) -> None:
    for probe in PROBES:
        if probe[0] != "SUBSCRIBE":
            with contextlib.suppress(redis.exceptions.ResponseError):
                await client.execute_command(*probe)
            assert await client.dbsize() == 0, probe


async def test_another_policy_is_named(server: str, client: Any) -> None:
    await client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = await seen(server)
        assert not_well(found) == {"eviction": "warning"}
        await client.config_set("maxmemory", "100mb")
        found = await seen(server)
        assert not_well(found) == {"eviction": "problem"}
        assert "maxmemory-policy is allkeys-lru" in found["eviction"].seen
        # The line itself mends it.
        config, at_once = lines(found["eviction"])
        assert config == "maxmemory-policy noeviction"
        await client.execute_command(*at_once.split())
        assert not_well(await seen(server)) == {}
    finally:
        await client.config_set("maxmemory-policy", "noeviction")
        await client.config_set("maxmemory", "0")


async def test_no_append_only_file_is_named(server: str, client: Any) -> None:
    await client.config_set("appendonly", "no")
    found = await seen(server)
    assert not_well(found) == {"persistence": "warning"}
    config, at_once = lines(found["persistence"])
    assert config == "appendonly yes"
    await client.execute_command(*at_once.split())
    assert not_well(await seen(server)) == {}


async def test_a_full_redis_is_named_with_its_figures(server: str, client: Any) -> None:
    used = (await client.info("memory"))["used_memory"]
    try:
        await client.config_set("maxmemory", int(used / 0.9))
        assert not_well(await seen(server)) == {"memory": "warning"}
        await client.config_set("maxmemory", int(used * 0.5))
        found = await seen(server)
        assert found["memory"].state == "problem"
        assert "storage_full" in found["memory"].seen
        assert lines(found["memory"])[0].startswith("maxmemory ")
    finally:
        await client.config_set("maxmemory", "0")


async def test_each_right_that_is_missing_is_named_and_the_line_gives_it(server: str, client: Any) -> None:
    for name in sorted({str(probe[0]) for probe in PROBES[:-1]}):
        await with_user(client, *RULES.split(), "+@all", f"-{name.lower()}")
        found = await seen(server, user="rejoin")
        assert name in found["rights in Redis"].seen, name
        assert f"ACL SETUSER rejoin +{name.lower()}" in lines(found["rights in Redis"])
        assert found["rights in Redis"].state == "problem"
        await client.execute_command(*lines(found["rights in Redis"])[0].split())
        assert (await seen(server, user="rejoin"))["rights in Redis"].state == "ok"


async def test_missing_keys_and_channels_are_named(server: str, client: Any) -> None:
    await with_user(client, "+@all", "~llm:*", "resetchannels")
    found = (await seen(server, user="rejoin"))["rights in Redis"]
    assert "PUBLISH (channel)" in found.seen
    assert "HSET (key)" in found.seen
    line, _ = lines(found)
    await client.execute_command(*line.split())
    assert (await seen(server, user="rejoin"))["rights in Redis"].state == "ok"


async def test_the_rights_that_are_probed_are_enough_for_an_answer(server: str, client: Any, leash: Leash) -> None:
    # And whoever has these alone is not told of more than INFO, which only the doctor needs.
    rules = sorted({f"+{str(probe[0]).lower()}" for probe in PROBES} | {"+ping", "+unsubscribe", "+client|setname"})
    await with_user(client, *RULES.split(), *rules)
    assert not_well(await seen(server, user="rejoin")) == {}
    assert (await seen(server, user="rejoin"))["Redis, the rest"].mends[0].line == "ACL SETUSER rejoin +info"
    url = f"{server}?username=rejoin&password=secret"
    async with Services(url, leash, REJOIN_DOCTOR="on", REJOIN_PING_S="1") as running, running.origin() as origin:
        found = await examined(origin, 15, ask=True)
    assert not_well(found) == {}
    assert found["an answer"].state == "ok"


async def test_a_wrong_password_and_nobody_there_are_out_of_reach(server: str) -> None:
    [found] = (await seen(f"{server}?username=nobody&password=wrong")).values()
    assert (found.check, found.state) == ("Redis", "problem")
    assert lines(found)[0].startswith("REDIS_URL=redis://<user>:<its password>@")
    [found] = (await seen(f"redis://127.0.0.1:{free_port()}/0")).values()
    assert (found.check, found.state) == ("Redis", "problem")
    assert "wrong" not in found.seen


async def test_a_report_is_no_burden_and_gives_no_secret_away(server: str, client: Any, leash: Leash) -> None:
    await with_user(client, *RULES.split(), "+@all")
    url = f"{server}?username=rejoin&password=secret"
    settings = {"REDIS_URL": url, "REJOIN_DOCTOR": "on"}
    async with (
        process(CONSUME, leash, **settings) as service,
        httpx2.AsyncClient(trust_env=False, verify=False) as asker,
    ):
        before = (await client.info("commandstats"))["cmdstat_info"]["calls"]
        path = f"{service.url}/api/consume-stream/doctor"
        reports = await asyncio.gather(*(asker.get(path) for _ in range(20)))
    looked = (await client.info("commandstats"))["cmdstat_info"]["calls"] - before - 1
    assert looked <= 1 + LOOKS_IN_A_SLOW_WHILE
    assert {report.status_code for report in reports} == {200}
    assert all("secret" not in report.text and "config_file" not in report.text for report in reports)
    assert reports[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize("binary", SERVERS, ids=[each.version for each in SERVERS])
async def test_a_replica_and_a_node_of_a_cluster_are_named(binary: Binary, tmp_path: Path) -> None:
    with redis_server.start(binary, tmp_path / "replica", "--replicaof", "127.0.0.1", str(free_port())) as replica:
        found = await seen(replica.url)
        assert found["role"].state == "problem"
        assert lines(found["role"])[1] == "REPLICAOF NO ONE"
    with redis_server.start(binary, tmp_path / "node", "--cluster-enabled", "yes") as node:
        assert (await seen(node.url))["cluster"].state == "problem"


async def test_all_of_it_is_told_by_both_services_through_the_chain(server: str, client: Any, leash: Leash) -> None:
    await with_user(client, *RULES.split(), "+@all", "-xgroup", "-eval")
    await client.config_set("maxmemory-policy", "volatile-ttl")
    try:
        url = f"{server}?username=rejoin&password=secret"
        async with Services(url, leash, REJOIN_DOCTOR="on", REJOIN_PING_S="1") as running, running.origin() as origin:
            found = await examined(origin)
    finally:
        await client.config_set("maxmemory-policy", "noeviction")
    wrong = {"eviction", "rights in Redis (consume-stream)", "rights in Redis (generate-stream)"}
    assert not_well(found).keys() == wrong
    assert lines(found["rights in Redis (consume-stream)"])[0] == "ACL SETUSER rejoin +eval +xgroup"
    assert lines(found["rights in Redis (generate-stream)"])[0] == "ACL SETUSER rejoin +eval +xgroup"


@pytest.mark.parametrize(
    ("service", "probes"), [("generate_stream", generate_rights), ("consume_stream", consume_rights)]
)
def test_every_command_that_a_service_gives_is_probed(service: str, probes: Any) -> None:
    probed = {str(probe[0]) for probe in probes.probes(SESSION)}
    forms = {" ".join(map(str, probe[:2])) for probe in probes.probes(SESSION)}
    given = set[str]()
    rooms = [path for folder in (f"services/{service}", "shared/lua") for path in (ROOT / folder).rglob("*")]
    for path in (*rooms, ROOT / "shared" / "script.py"):
        if path.suffix in (".py", ".lua") and path.stem != "rights":
            given |= set(re.findall(r"""(?:\.call|pack)\(\s*["']([A-Z]+)["']""", path.read_text()))
            assert {f"XGROUP {form}" for form in re.findall(r'_xgroup\("([A-Z]+)"', path.read_text())} <= forms
    assert "XREVRANGE" in given
    assert given <= probed
