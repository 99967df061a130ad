"""Docker for tests: the daemon that runs here, else one that lives as long as the tests."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.leash import Leash

ROOT = Path(__file__).resolve().parents[2]
_START_S = 30.0
_BUILD_S = 300.0


class Docker:
    """One daemon, by its address. What is run raises CalledProcessError when it fails, its output in the notes."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._client = _client()
        path = f"{Path(self._client).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        self.environ = os.environ | {"DOCKER_HOST": host, "PATH": path}

    def run(self, *arguments: str | Path, **environ: str) -> str:
        """What this command of `docker` says."""
        return self.call([self._client, *arguments], **environ)

    def make(self, *arguments: str, **environ: str) -> str:
        """What a target of the Makefile says, as users call it."""
        return self.call(["make", "--no-print-directory", *arguments], **environ)

    def compose(self, *arguments: str, **environ: str) -> str:
        """What compose says: the plugin of newer Dockers, or the program of older ones."""
        return self.call([*self._compose(), *arguments], **environ)

    def shell(self, line: str, *arguments: str, **environ: str) -> str:
        """What a line for the shell says, where `$COMPOSE` is compose with these arguments."""
        return self.call(["sh", "-c", line], COMPOSE=" ".join([*self._compose(), *arguments]), **environ)

    def _compose(self) -> list[str]:
        plugin = subprocess.run([self._client, "compose", "version"], capture_output=True, check=False)
        return [self._client, "compose"] if plugin.returncode == 0 else ["docker-compose"]

    def call(self, command: Sequence[str | Path], **environ: str) -> str:
        """Any command, with this daemon as its Docker."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environ | environ, capture_output=True, text=True, timeout=_BUILD_S, check=False
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout.strip()

    def load(self, name: str, tar: Iterable[bytes], changes: Sequence[str]) -> None:
        """Make an image of a file system."""
        said = [part for change in changes for part in ("--change", change)]
        command = [self._client, "import", *said, "-", name]
        with subprocess.Popen(command, env=self.environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as importing:
            assert importing.stdin
            for part in tar:
                importing.stdin.write(part)
        assert importing.returncode == 0, name

    def inspect(self, name: str) -> dict[str, Any]:
        """All that is known of an image or container."""
        found: dict[str, Any] = json.loads(self.run("inspect", name))[0]
        return found

    def clear(self) -> None:
        """Remove all but images: what an earlier run left that was killed would be in the way of the next one."""
        if containers := self.run("ps", "-aq").split():
            self.run("rm", "-f", "-v", *containers)
        if volumes := self.run("volume", "ls", "-q").split():
            self.run("volume", "rm", *volumes)
        self.run("network", "prune", "-f")

    def answers(self) -> bool:
        """Whether there is a daemon."""
        said = subprocess.run([self._client, "version"], env=self.environ, capture_output=True, check=False)
        return said.returncode == 0


@contextlib.contextmanager
def daemon(data: Path) -> Iterator[Docker]:
    """The daemon of this machine; where none answers, one of our own, of which only images stay in `data`."""
    running = Docker(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if running.answers():
        yield running
        return
    with contextlib.closing(Leash()) as leash, tempfile.TemporaryDirectory(prefix="rejoin-docker-") as place:
        own = Docker(f"unix://{place}/docker.sock")
        log = Path(place, "log")
        # A world of processes and mounts of its own, which ends with its first process: containers, which leave every
        # process group, die with the tests too, however these end.
        world = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        into_log = ["/bin/sh", "-c", f'exec "$@" >{log} 2>&1', "sh"]
        places: list[str | Path] = [
            "--data-root",
            data,
            "--exec-root",
            f"{place}/exec",
            "--pidfile",
            f"{place}/pid",
            "-H",
            own.host,
        ]
        process = leash.spawn([*into_log, *world, "dockerd", *places])
        deadline = time.monotonic() + _START_S
        while not own.answers():
            assert process.poll() is None, f"dockerd ended:\n{log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"dockerd does not answer:\n{log.read_text()[-3000:]}"
            time.sleep(0.1)
        try:
            own.clear()
            yield own
        finally:
            # In good order: containers end, mounts and networks go. `unshare` itself does not listen.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGTERM)
            process.wait(30)


def _client() -> str:
    """The first client that can build with BuildKit too: older ones by themselves, newer ones by a plugin."""
    places = os.environ.get("PATH", "").split(os.pathsep)
    found = [client for place in places if (client := shutil.which("docker", path=place))]
    for client in found:
        said = subprocess.run([client, "build", "--help"], capture_output=True, text=True, check=False)
        plugin = subprocess.run([client, "buildx", "version"], capture_output=True, check=False)
        if plugin.returncode == 0 or ("DOCKER_BUILDKIT" not in said.stderr and _major(client) < 23):
            return client
    assert found, "docker is not on this machine"
    return found[0]


def _major(client: str) -> int:
    said = subprocess.check_output([client, "--version"], text=True)
    return int(said.split()[2].split(".")[0])
