"""The users of deploy/redis: every Redis of the tests knows them, and every service of the tests is one of them."""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import redis

from deploy.redis_binary import Binary

FOLDER = Path(__file__).parent.parent / "deploy" / "redis"
GIVEN = os.environ.get("REDIS_URL")
"""A Redis of somebody's: nobody makes users in it, and its URL says as whom the services come."""

PASSWORDS = {"generate": "generate's own", "consume": "consume's own"}
ENVIRON = {f"REDIS_{user.upper()}_PASSWORD": password for user, password in PASSWORDS.items()}

_OFF, _ADMINISTRATOR = "user default off", "user default on nopass ~* &* +@all"


def acl(version: str, **environ: str) -> str:
    """What is shipped, for a server of some version."""
    command = ["/bin/sh", str(FOLDER / "users.sh"), version]
    return subprocess.check_output(command, env=os.environ | ENVIRON | environ, text=True)


@functools.cache
def file(version: str) -> "tempfile._TemporaryFileWrapper[str]":
    """The same, but the tests themselves come without a name, as the administrator. It stays as long as they run."""
    shipped = acl(version)
    assert _OFF in shipped
    made = tempfile.NamedTemporaryFile("w", prefix="rejoin-", suffix=".acl")  # noqa: SIM115
    made.write(shipped.replace(_OFF, _ADMINISTRATOR))
    made.flush()
    Path(made.name).chmod(0o644)  # in a container Redis is somebody else
    return made


def arguments(binary: Binary) -> tuple[str, ...]:
    """With which a server knows the users, and waits for no disk.

    While a slow one is busy with the fsync of every second, a write may stand still for longer than a lease lasts, and
    for two seconds the file lacks what was answered: a kill would lose it. No test asks it to outlive the machine.
    """
    return "--aclfile", file(binary.version).name, "--appendfsync", "no"


def as_user(url: str, service: str) -> str:
    """The way to a Redis of the tests as the user of a service, such as `services.consume_stream`."""
    match = re.search(r"\b(generate|consume)(_stream)?$", service)
    scheme, place, path, query, _ = urlsplit(url)
    if GIVEN or match is None or "@" in place or "username=" in query or ("redis" not in scheme and scheme != "unix"):
        return url
    return urlunsplit((scheme, f"{match[1]}:{quote(PASSWORDS[match[1]])}@{place}", path, query, ""))


def refusals(url: str) -> list[tuple[str, str, str]]:
    """Who was refused what, and for what reason, by a Redis that stands."""
    with redis.Redis.from_url(url, protocol=2, decode_responses=True) as administrator:
        return [(each["username"], each["object"], each["reason"]) for each in administrator.acl_log()]
