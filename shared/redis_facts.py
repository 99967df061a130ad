"""Facts about Redis, as the user and from the place of one service sees it: looked up on a connection of their own."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from shared.server_clock import unix_ms
from shared.wire import Argument, Connect, pack, write

Command = Sequence[Argument]

_PINGS = 10
_KEPT = {
    "redis_version", "valkey_version", "role", "master_host", "master_port", "master_link_status", "connected_slaves",
    "loading", "maxmemory", "maxmemory_policy", "evicted_keys", "used_memory", "total_system_memory", "aof_enabled",
    "aof_last_write_status", "cluster_enabled",
}  # fmt: skip
"""What of INFO is looked at. The rest, such as paths on its host, is nobody's business."""

_NAMED = {"keys": "key", "channels": "channel", "channel": "channel", "key": "key"}


@dataclass(frozen=True, kw_only=True)
class Denied:
    """A command that Redis does not let us give, and whether for itself, its keys or its channels."""

    command: str
    for_its: str


@dataclass(frozen=True, kw_only=True)
class RedisFacts:
    """What was seen in one look. Where Redis is away, only why."""

    away: str | None = None
    user: str = "default"
    info: dict[str, str] = field(default_factory=dict)
    """Some fields of INFO, as Redis names them; none where it may not be asked."""
    ping_ms: tuple[float, ...] = ()
    clock_ahead_ms: float | None = None
    """How far its clock is ahead of ours; None where it may not be asked."""
    denied: tuple[Denied, ...] = ()
    moved: bool = False
    """Whether it sends us elsewhere for a key, as a node of a cluster does."""


async def look(connect: Connect, probes: Iterable[Command], timeout_s: float) -> RedisFacts:
    """Ask it all, within `timeout_s`.

    `probes` are commands that do nothing but are refused where a right is missing; only a SUBSCRIBE must come last.
    """
    connection = connect()
    try:
        async with asyncio.timeout(timeout_s):
            await connection.connect()
            return await _asked(connection, probes)
    except (RedisError, OSError, TimeoutError) as error:
        return RedisFacts(away=str(error) or f"no answer within {timeout_s:g} s")
    finally:
        await connection.disconnect(nowait=True)


async def _asked(connection: AbstractConnection, probes: Iterable[Command]) -> RedisFacts:
    pings = []
    for _ in range(_PINGS):
        asked_at = time.perf_counter()
        await _reply(connection, ("PING",))
        pings.append((time.perf_counter() - asked_at) * 1000)
    before = time.time()
    clock = await _reply(connection, ("TIME",))
    ours_ms = (before + time.time()) / 2 * 1000
    info = await _reply(connection, ("INFO",))
    user = await _reply(connection, ("ACL", "WHOAMI"))
    replies = [(str(probe[0]), await _reply(connection, probe)) for probe in probes]
    known = getattr(connection, "username", None) or "default"
    return RedisFacts(
        user=user.decode() if isinstance(user, bytes) else known,
        info=_fields(info) if isinstance(info, bytes) else {},
        ping_ms=tuple(pings),
        clock_ahead_ms=unix_ms(clock) - ours_ms if isinstance(clock, list) else None,
        denied=tuple(_denied(name, reply) for name, reply in replies if isinstance(reply, NoPermissionError)),
        moved=any(isinstance(reply, ResponseError) and type(reply).__name__ == "MovedError" for _, reply in replies),
    )


async def _reply(connection: AbstractConnection, command: Command) -> Any:
    """The reply, or the refusal in its stead."""
    await write(connection, [pack(*command)])
    try:
        return await connection.read_response(disable_decoding=True, disconnect_on_error=False)
    except ResponseError as refusal:
        return refusal


def _fields(info: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in info.decode("utf-8", "replace").splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in pairs if name in _KEPT}


def _denied(command: str, refusal: Exception) -> Denied:
    # "… to run the 'x' command", "… to access one of the keys used as arguments", "No permissions to access a channel".
    for_its = next((kind for word, kind in _NAMED.items() if word in str(refusal).split()), "command")
    return Denied(command=command, for_its=for_its)
