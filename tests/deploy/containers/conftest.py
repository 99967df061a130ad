"""A Docker with the base images and with ours, built as users build them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import base_images
from tests.deploy.containers.composed import Composed
from tests.deploy.docker import Docker, daemon


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """The machine's own, else one that goes with the tests; what it has built is kept for the next ones."""
    with daemon(Path(tempfile.gettempdir(), "rejoin-docker")) as found:
        base_images.make(found)
        yield found


@pytest.fixture(scope="session")
def images(docker: Docker) -> None:
    """`make images`, by BuildKit."""
    docker.make("images", DOCKER_BUILDKIT="1")


@pytest.fixture(scope="session")
def composed(docker: Docker, images: None) -> Iterator[Composed]:
    """`make up`, with two writers and three readers."""
    with Composed(docker) as running:
        yield running
