"""The Redis of a local run: the one that `REDIS_URL` names, or a private one."""

import contextlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import redis

from deploy import redis_server
from deploy.claim import Claim
from deploy.leash import Leash
from deploy.redis_server import RedisFailed, RedisServer

_CONNECT_S = 5.0


class Store(NamedTuple):
    """Where Redis is, what to tell people about it, and the server if it is ours."""

    url: str
    description: str
    server: RedisServer | None = None


def given(url: str) -> Store:
    """The Redis at `url`, asked once. Raises RedisFailed; no password gets into its text."""
    where = _without_secrets(url)
    try:
        with contextlib.closing(redis.Redis.from_url(url, socket_connect_timeout=_CONNECT_S)) as client:
            version = client.info("server")["redis_version"]
    except (redis.RedisError, OSError) as error:
        raise RedisFailed(f"REDIS_URL: Redis at {where} can't be used: {error}") from None
    return Store(url, f"{version} at {where}")


def private(data: Path, leash: Leash) -> Store:
    """A server of our own on `data`. Raises RedisFailed, and Taken when another run has it."""
    found = redis_server.binaries()
    if not found:
        raise RedisFailed("there is no Redis here: install redis-server or valkey-server, or set REDIS_URL")
    binary = found[0]
    claim = Claim(data)
    server = redis_server.start(binary, data / binary.store, leash=leash, keep_open=[claim.file])
    description = f"{binary.version}, private, data in {server.directory}, run by {binary.path}"
    return Store(server.url, description, server)


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
