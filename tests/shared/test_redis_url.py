"""A URL of Redis says how to connect: to whom, as whom, with TLS or without."""

import asyncio
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import MasterNotFoundError, SentinelManagedConnection, SentinelManagedSSLConnection

from shared.cluster import Cluster
from shared.redis import TIMEOUT_S
from shared.redis_url import redis_at

pytestmark = pytest.mark.anyio

KEY = "llm:stream:somebody"


def first(url: str) -> AbstractConnection:
    """The connection that a first command takes."""
    redis = redis_at(url, "rejoin-test")
    return redis.connect(redis.node(KEY))


@pytest.mark.parametrize(
    ("url", "kind", "where"),
    [
        ("redis://me:secret@h:7000/2", Connection, {"host": "h", "port": 7000, "db": 2}),
        ("rediss://me:secret@h", SSLConnection, {"host": "h", "port": 6379, "db": 0}),
        ("unix://me:secret@/run/redis.sock?db=1", UnixDomainSocketConnection, {"path": "/run/redis.sock", "db": 1}),
        ("redis+cluster://me:secret@h1:7000,h2:7001", Connection, {"host": "h1", "port": 7000, "db": 0}),
        ("rediss+cluster://me:secret@h1,h2/0", SSLConnection, {"host": "h1", "port": 6379, "db": 0}),
        ("redis+cluster://me:secret@[::1]:7000", Connection, {"host": "::1", "port": 7000}),
        ("redis+sentinel://me:secret@h1,h2:1/main/3", SentinelManagedConnection, {"db": 3}),
        ("rediss+sentinel://me:secret@h1/main", SentinelManagedSSLConnection, {"db": 0}),
    ],
)
def test_each_form_says_to_whom_as_whom_and_how(url: str, kind: type, where: dict[str, Any]) -> None:
    connection = first(url)
    assert type(connection) is kind
    assert {name: getattr(connection, name) for name in where} == where
    assert (connection.username, connection.password, connection.client_name) == ("me", "secret", "rejoin-test")


def test_a_certificate_that_is_asked_for_in_the_query_is_asked_for_at_every_node() -> None:
    redis = redis_at("rediss+cluster://h1,h2?ssl_ca_certs=/etc/own.pem", "rejoin-test")
    assert isinstance(redis, Cluster)
    for node in ("h1:6379", "elsewhere:7000"):
        connection = redis.connect(node)
        assert isinstance(connection, SSLConnection)
        assert connection.ca_certs == "/etc/own.pem"


def test_sentinels_have_a_password_of_their_own_and_the_masters_tls() -> None:
    url = "rediss+sentinel://me:secret@h1:1,h2/main?sentinel_password=theirs&ssl_ca_certs=/etc/own.pem"
    redis = redis_at(url, "rejoin-test")  # which keeps the pool that its connections refer to
    connection = redis.connect(redis.node(KEY))
    assert isinstance(connection, SentinelManagedSSLConnection)
    sentinels = connection.connection_pool.sentinel_manager.sentinels
    told = [each.connection_pool.connection_kwargs for each in sentinels]
    assert [(each["host"], each["port"], each["password"]) for each in told] == [
        ("h1", 1, "theirs"),
        ("h2", 26379, "theirs"),
    ]
    assert {each["ssl_ca_certs"] for each in told} == {"/etc/own.pem"}
    assert {each.connection_pool.connection_class for each in sentinels} == {SSLConnection}


def test_every_connection_speaks_the_older_protocol_and_has_no_deadline_of_its_own() -> None:
    for url in ("redis://h", "redis+cluster://h", "redis+sentinel://h/main"):
        connection = first(url)
        assert (connection.protocol, connection.socket_timeout) == (2, None)


async def test_a_sentinel_that_says_nothing_leaves_time_to_ask_the_next_one() -> None:
    asked = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        redis = redis_at(f"redis+sentinel://127.0.0.1:{port},localhost:{port}/main", "rejoin-test")
        async with asyncio.timeout(TIMEOUT_S):
            with pytest.raises(MasterNotFoundError):
                await redis.connect(redis.node(KEY)).connect()
        await redis.close()
    assert asked == 2
