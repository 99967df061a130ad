"""The three images: small, nobody's root, nothing in them that installs, alive when they say so, gone when told."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import nanoid
import pytest

from tests.deploy import base_images
from tests.deploy.containers.composed import until
from tests.deploy.docker import Docker

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("images"), pytest.mark.timeout(300)]

SERVICES = ("rejoin-generate-stream", "rejoin-consume-stream")
IMAGES = (*SERVICES, "rejoin-page")
LARGEST_BYTES = 200_000_000
OFFICIAL_BASE_BYTES = 125_000_000
"""What the official slim Python takes, which has more in it than a local one."""
NO_NAME = "import importlib.util as m, json, sys; print(json.dumps([n for n in sys.argv[1:] if m.find_spec(n)]))"


@contextlib.contextmanager
def running(docker: Docker, image: str, *options: str) -> Iterator[str]:
    """A container as compose starts it: it can't write, and may nothing."""
    hard = (
        "--read-only",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "--tmpfs",
        "/run/rejoin:uid=10001",
    )
    container = docker.run("run", "-d", *hard, *options, image)
    try:
        yield container
    finally:
        docker.run("rm", "-f", "-v", container)


@pytest.fixture(scope="module")
def network(docker: Docker) -> Iterator[str]:
    """A network with a Redis, named redis."""
    # Of no name that an earlier run can have left in a daemon which is not ours.
    network = docker.run("network", "create", f"rejoin-test-{nanoid.generate(size=8)}")
    redis = docker.run("run", "-d", "--network", network, "--network-alias", "redis", "redis:7")
    yield network
    docker.run("rm", "-f", "-v", redis)
    docker.run("network", "rm", network)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_small_and_nobodys_root(docker: Docker, image: str) -> None:
    seen = docker.inspect(image)
    assert seen["Size"] < LARGEST_BYTES
    assert seen["Config"]["User"] == "10001:10001"
    assert seen["Config"]["StopSignal"] == "SIGTERM"
    labels = seen["Config"]["Labels"]
    assert (labels["org.opencontainers.image.title"], labels["org.opencontainers.image.version"]) == (image, "0.1.0")
    assert labels["org.opencontainers.image.licenses"] == "MIT"


@pytest.mark.parametrize("image", SERVICES)
def test_a_service_is_small_on_the_official_base_too(docker: Docker, image: str) -> None:
    ours = docker.inspect(image)["Size"]
    base = docker.inspect(base_images.names()["PYTHON"])["Size"]
    assert max(ours - base, 0) + OFFICIAL_BASE_BYTES < LARGEST_BYTES


@pytest.mark.parametrize("image", SERVICES)
def test_nothing_in_a_service_installs_or_compiles(docker: Docker, image: str) -> None:
    found = docker.run("run", "--rm", image, "python", "-c", NO_NAME, "pip", "ensurepip", "setuptools", "pytest")
    programs = docker.run("run", "--rm", image, "sh", "-c", "command -v pip pip3 gcc cc make; true")
    assert (json.loads(found), programs) == ([], "")


def test_consume_stream_holds_no_sdk_of_a_vendor(docker: Docker) -> None:
    vendors = ("openai", "anthropic", "pydantic", "httpx2", "services.generate_stream")
    of_consume = docker.run("run", "--rm", SERVICES[1], "python", "-c", NO_NAME, *vendors)
    of_generate = docker.run("run", "--rm", SERVICES[0], "python", "-c", NO_NAME, *vendors, "sse_starlette")
    assert json.loads(of_consume) == []
    assert json.loads(of_generate) == list(vendors)


@pytest.mark.parametrize("image", SERVICES)
def test_its_code_is_compiled(docker: Docker, image: str) -> None:
    cached = "json.dumps([os.path.exists(module.__cached__) for module in (services, shared.wire, uvicorn)])"
    tried = f"import json, os, services, shared.wire, uvicorn; print({cached})"
    said = docker.run("run", "--rm", image, "python", "-c", tried)
    assert json.loads(said) == [True, True, True]


@pytest.mark.parametrize("image", SERVICES)
def test_a_service_runs_where_it_can_not_write_and_ends_when_told(docker: Docker, network: str, image: str) -> None:
    options = ("--network", network, "-e", "REDIS_URL=redis://redis:6379/0", "--health-interval", "1s")
    with running(docker, image, *options) as container:
        until(lambda: health(docker, container) == "healthy", 30, "it is healthy")
        assert docker.run("exec", container, "id", "-u") == "10001"
        ended_s = stop(docker, container)
        state = docker.inspect(container)["State"]
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
        assert ended_s < 10
        assert '"draining"' in docker.call(["sh", "-c", f"docker logs {container} 2>&1"])


def test_a_page_runs_where_it_can_not_write_and_ends_when_told(docker: Docker) -> None:
    with running(docker, "rejoin-page", "--tmpfs", "/tls:uid=10001", "--health-interval", "1s") as container:
        until(lambda: health(docker, container) == "healthy", 30, "it is healthy")
        assert stop(docker, container) < 5
        assert docker.inspect(container)["State"]["ExitCode"] == 0


def test_one_that_does_not_answer_is_found_unhealthy(docker: Docker) -> None:
    with running(docker, SERVICES[1], "--health-interval", "1s", "--health-start-period", "0s") as container:
        until(lambda: health(docker, container) == "healthy", 30, "it is healthy, though Redis is away")
        docker.run("kill", "-s", "STOP", container)
        until(lambda: health(docker, container) == "unhealthy", 60, "it is unhealthy")
        docker.run("kill", "-s", "CONT", container)


def test_the_classic_builder_builds_the_same(docker: Docker) -> None:
    arguments = ("-f", "deploy/Dockerfile", "--build-arg", "SERVICE=consume_stream", "-t", "rejoin-classic", ".")
    docker.run("build", *arguments, DOCKER_BUILDKIT="0")
    ours, theirs = docker.inspect("rejoin-classic")["Config"], docker.inspect(SERVICES[1])["Config"]
    for name in ("User", "Cmd", "Entrypoint", "ExposedPorts", "Healthcheck", "StopSignal", "WorkingDir"):
        assert (ours.get(name) or None) == (theirs.get(name) or None), name
    assert set(theirs["Env"]) <= set(ours["Env"])


def health(docker: Docker, container: str) -> Any:
    """What Docker thinks of it."""
    return docker.inspect(container)["State"]["Health"]["Status"]


def stop(docker: Docker, container: str) -> float:
    """Stop it as Docker does; returns how long that took."""
    begun = time.monotonic()
    docker.run("stop", "-t", "20", container)
    return time.monotonic() - begun
