"""Where Redis is, as a URL: one address, Sentinels, or some nodes of a cluster; TCP, TLS and Unix sockets."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlencode

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from shared.cluster import Cluster
from shared.one_redis import OneRedis
from shared.redis import Redis

TAKES = "redis://, rediss://, unix://, redis+sentinel://host,host/service or redis+cluster://host,host"

_SEVERAL = re.compile(r"(rediss?)\+(sentinel|cluster)://(?:([^@/]*)@)?([^@/?]+)(/[^?]*)?(?:\?(.*))?")
_DEFAULT_PORTS = {"sentinel": 26379, "cluster": 6379}


class _Several(NamedTuple):
    """A URL of several hosts, taken apart."""

    scheme: str
    kind: str
    user: str
    hosts: list[tuple[str, int]]
    path: list[str]
    query: dict[str, str]


def redis_at(url: str, name: str) -> Redis:
    """The Redis at `url`; its connections show as `name` in CLIENT LIST.

    Takes what redis-py's `from_url` takes, and with `redis+sentinel://` or `redis+cluster://` (`rediss+…` for TLS)
    several hosts, separated by commas. For Sentinels the path is the service's name, and its database after another
    slash; `sentinel_username` and `sentinel_password` in the query are theirs, user and password those of Redis.

    Raises ValueError for any other URL, without repeating it: it may hold a password.
    """
    try:
        several = _several(url)
        if several is None:
            return OneRedis(_pool(url, name))
        return _sentinels(several, name) if several.kind == "sentinel" else _cluster(several, name)
    except (ValueError, TypeError):
        raise ValueError(TAKES) from None


def _several(url: str) -> _Several | None:
    if "+" not in url.partition(":")[0]:
        return None
    match = _SEVERAL.fullmatch(url)
    if match is None:
        raise ValueError
    scheme, kind, user, hosts, path, query = match.groups()
    parts = [unquote(part) for part in (path or "").split("/")[1:] if part]
    pairs = parse_qsl(query or "", strict_parsing=bool(query))
    return _Several(scheme, kind, user or "", [_host(host, kind) for host in hosts.split(",")], parts, dict(pairs))


def _host(text: str, kind: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(\d{1,5}))?", text.strip())
    if match is None:
        raise ValueError
    return match[1].strip("[]"), int(match[2] or _DEFAULT_PORTS[kind])


def _sentinels(several: _Several, name: str) -> Redis:
    service, *database = several.path
    if len(database) > 1 or not "".join(database or "0").isdecimal():
        raise ValueError
    own = {key: value for key, value in several.query.items() if not key.startswith("sentinel_")}
    theirs = {key.removeprefix("sentinel_"): several.query[key] for key in several.query.keys() - own.keys()}
    if theirs.keys() - {"username", "password"}:
        raise ValueError
    options = _options(several._replace(query=own), "/".join(database), name)
    tls = options.pop("connection_class", None) is not None
    secure = {key: value for key, value in options.items() if key.startswith("ssl_")} | ({"ssl": True} if tls else {})
    # Asked once each: with the library's own retries, one that is away takes all the time that a wire has to connect,
    # and the next one is never asked.
    once = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "retry": Retry(NoBackoff(), 0)}
    sentinel = Sentinel(several.hosts, sentinel_kwargs={**theirs, **secure, **once})
    pool = SentinelConnectionPool(service, sentinel, **options, **({"ssl": True} if tls else {}))
    return OneRedis(pool, sentinel.sentinels)


def _cluster(several: _Several, name: str) -> Redis:
    if several.path not in ([], ["0"]):
        raise ValueError  # a cluster has one database
    options = _options(several, "", name)
    kind = options.pop("connection_class", None)

    def connect(host: str, port: int) -> AbstractConnection:
        if kind is None:
            pool = ConnectionPool(host=host, port=port, **options)
        else:
            pool = ConnectionPool(connection_class=kind, host=host, port=port, **options)
        return cast(AbstractConnection, pool.make_connection())

    connect(*several.hosts[0])
    return Cluster(several.hosts, connect)


def _options(several: _Several, path: str, name: str) -> dict[str, Any]:
    """What redis-py makes of such a URL, without the host."""
    user = f"{several.user}@" if several.user else ""
    query = f"?{urlencode(several.query)}" if several.query else ""
    pool = _pool(f"{several.scheme}://{user}host/{path}{query}", name)
    options: Mapping[str, Any] = pool.connection_kwargs
    kept = {key: value for key, value in options.items() if key not in ("host", "port")}
    return kept | ({"connection_class": pool.connection_class} if several.scheme == "rediss" else {})


def _pool(url: str, name: str) -> ConnectionPool:
    pool = ConnectionPool.from_url(
        url,
        # RESP3 would answer XREADGROUP with a dict.
        protocol=2,
        client_name=name,
        # Else each connection asks for CLIENT SETINFO, which no rule for users of Redis 7.0 can name.
        driver_info=None,
        # The wire has its own deadline over many replies; a timer per reply would cost more than the reply.
        socket_timeout=None,
        retry=Retry(NoBackoff(), 0),
    )
    # A bad option shows only when a connection is built.
    pool.make_connection()
    return pool
