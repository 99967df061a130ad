"""What Redis and the services have counted so far: commands by name, bytes, and the counters of /metrics."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import cast

import httpx2
import redis

_OWN = ("info", "client", "hello", "memory", "xlen")
"""Commands of the bench itself, and of connections that are made."""
_WITHIN_S = 30.0
_CALLS = re.compile(r"^cmdstat_(\w+)\S*:calls=(\d+)", re.MULTILINE)
_BYTES = re.compile(r"^total_net_(\w+)put_bytes:(\d+)", re.MULTILINE)
_SAMPLE = re.compile(r"^(\w+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Counted:
    """Commands, those inside of scripts too, and bytes into and out of Redis."""

    commands: Counter[str]
    into: float
    out: float

    def since(self, before: "Counted") -> "Counted":
        """What came between."""
        return Counted(self.commands - before.commands, self.into - before.into, self.out - before.out)


class RedisCounts:
    """Asks one Redis on a connection of its own, and leaves out what the asking itself costs."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._client.set_response_callback("INFO", lambda reply, **_: reply)
        self._told = 0

    def now(self) -> Counted:
        """What Redis has counted so far."""
        # Redis counts a reply when it has been written: this one is in the next count.
        reply = cast(bytes, self._client.execute_command("INFO", "all"))
        found = parse(reply.decode(), self._told)
        self._told += len(reply)
        return found

    def memory(self, key: str) -> int:
        """The bytes that a key takes, every part of it counted."""
        return int(self._client.memory_usage(key, samples=0) or 0)

    def entries(self, log: str) -> int:
        """How many entries a log has."""
        return int(self._client.xlen(log))

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def parse(info: str, own: int = 0) -> Counted:
    """Read the reply to INFO; `own` bytes of what went out were the bench's. Subcommands count as their command."""
    commands: Counter[str] = Counter()
    for name, calls in _CALLS.findall(info):
        if name not in _OWN:
            commands[name] += int(calls)
    size = {way: int(number) for way, number in _BYTES.findall(info)}
    return Counted(commands, size["in"], size["out"] - own)


async def metrics(url: str) -> dict[str, float]:
    """The metrics without labels that a service tells."""
    async with httpx2.AsyncClient(timeout=_WITHIN_S) as client:
        answer = await client.get(f"{url}/metrics")
    return {name: float(value) for name, value in _SAMPLE.findall(answer.text)}
