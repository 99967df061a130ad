"""A real nginx in front of both services: several servers, each with other lines."""

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.leash import Leash
from tests.deploy.local_run import until
from tests.ports import free_port

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_START_S = 20.0
_CERTIFICATE = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]


class Server(NamedTuple):
    """What is between its braces, what in its location of consume-stream, what its `listen` says beside the port; and
    where its consume-stream is, if elsewhere.
    """

    lines: str = ""
    location: str = ""
    listen: str = ""
    consume: str = ""


def needed(*programs: str) -> None:
    """Skip without them, and say so; where everything is to be tested, fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        said = f"{', '.join(missing)} not installed: the doctor is not tried on a real nginx"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)


@contextlib.contextmanager
def running(directory: Path, leash: Leash, generate: str, consume: str, servers: list[Server]) -> Iterator[list[int]]:
    """It runs inside the block; the ports of its servers."""
    ports = [free_port() for _ in servers]
    parts = [_server(port, server, generate, consume) for port, server in zip(ports, servers, strict=True)]
    temporary = "\n".join(f"{name}_temp_path {directory}/{name};" for name in _TEMPORARY)
    (directory / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; {_user()} pid {directory}/pid; error_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; gzip_proxied any;\n{temporary}\n{''.join(parts)} }}\n"
    )
    program = shutil.which("nginx")
    assert program
    command: list[str | Path] = [
        program,
        "-p",
        directory,
        "-c",
        directory / "nginx.conf",
        "-e",
        directory / "error.log",
    ]
    process = leash.spawn(command, cwd=directory)
    try:
        until(lambda: process.poll() is not None or (directory / "pid").exists(), _START_S, "nginx")
        assert process.poll() is None, (directory / "error.log").read_text()
        yield ports
    finally:
        process.terminate()
        process.wait(10)


def certificate(directory: Path) -> str:
    """Lines that give a server a certificate of its own."""
    key, signed = directory / "key.pem", directory / "cert.pem"
    command = ["openssl", *_CERTIFICATE, "-keyout", str(key), "-out", str(signed)]
    subprocess.run(command, check=True, capture_output=True)
    return f"ssl_certificate {signed}; ssl_certificate_key {key};"


def _user() -> str:
    # Started by root, its workers would be somebody who may not read a checkout.
    return f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""


def _server(port: int, server: Server, generate: str, consume: str) -> str:
    return (
        f"server {{ listen 127.0.0.1:{port} {server.listen}; {server.lines}\n"
        f"location /api/consume-stream {{ proxy_pass {server.consume or consume}; {server.location} }}\n"
        f"location /api/ {{ proxy_pass {generate}; }}\n}}\n"
    )
