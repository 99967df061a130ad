"""The whole of it in containers, as `make up` starts it, on ports of its own."""

import json
import time
from collections.abc import Callable
from typing import Self

import httpx2

from tests.deploy.docker import Docker
from tests.ports import free_port

PROJECT = "rejoin-test"
_READY_S = 60.0


def until(fact: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for a fact, or fail by its name."""
    deadline = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.1)


class Composed:
    """One project of compose. Leaving the context removes its containers and volumes."""

    def __init__(self, docker: Docker) -> None:
        https = free_port()
        self.docker = docker
        self.url = f"https://127.0.0.1:{https}"
        self._environ = {
            "REJOIN_HTTP_PORT": str(free_port()),
            "REJOIN_HTTPS_PORT": str(https),
            "REJOIN_DRAIN_S": "1",
            "REJOIN_PING_S": "2",
            "COMPOSE_PROJECT_NAME": PROJECT,
            "DOCKER_BUILDKIT": "1",
        }

    def __enter__(self) -> Self:
        self.docker.make("deploy/secrets")
        self.compose("down", "--volumes")
        return self.up()

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes")

    def up(self, generate: int = 2, consume: int = 3) -> Self:
        """`make up`, and wait until everybody is ready."""
        self.docker.make("up", f"GENERATE={generate}", f"CONSUME={consume}", **self._environ)
        until(self.is_ready, _READY_S, "compose is up")
        return self

    def down(self) -> None:
        """`make down`."""
        self.docker.make("down", **self._environ)

    def compose(self, *arguments: str) -> str:
        """What a command of compose says."""
        return self.docker.compose("-p", PROJECT, "-f", "deploy/compose.yaml", *arguments, **self._environ)

    def shell(self, line: str) -> str:
        """What a line of README says, in which `$COMPOSE` is compose with our project."""
        return self.docker.shell(line, "-p", PROJECT, "-f", "deploy/compose.yaml", **self._environ)

    def containers(self, service: str = "") -> list[str]:
        """The ids of the containers, of one service or of all."""
        # Not by compose, which takes a second to say so.
        labels = [f"project={PROJECT}", *([f"service={service}"] if service else [])]
        filters = [part for label in labels for part in ("--filter", f"label=com.docker.compose.{label}")]
        return self.docker.run("ps", "-q", "--no-trunc", *filters).split()

    def is_ready(self) -> bool:
        """Whether each container is healthy, and both services are answered for."""
        states = [self.docker.inspect(each)["State"] for each in self.containers()]
        return all(state.get("Health", {}).get("Status") == "healthy" for state in states) and self._answers()

    def get(self, path: str) -> httpx2.Response:
        """A GET of the origin."""
        return httpx2.get(f"{self.url}{path}", verify=False, trust_env=False)

    def asked(self, path: str) -> set[str]:
        """Which containers have answered requests for this path, by their addresses, as nginx says."""
        lines = self.docker.run("logs", *self.containers("nginx")).splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        return {line["service"] for line in said if line["path"] == path}

    def _answers(self) -> bool:
        try:
            return (
                self.get("/api/models").status_code == 200
                and self.get("/api/sessions/unknown-session").status_code == 404
            )
        except httpx2.TransportError:
            return False
